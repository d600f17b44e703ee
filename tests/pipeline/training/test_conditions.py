"""What takes the place of class maps and of pairs, from the command line: trained, styled, rendered."""

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.model_directory import open_model
from pipeline.shards.reader import open_dataset

STREETS = "{format: streetscapes, scenes: 4}"
SKETCHES = f"{{format: sketch, of: {STREETS}}}"
UNPAIRED = f"{{format: unpaired, labels: {STREETS}, photographs: {{format: streetscapes, scenes: 3, seed: 1}}}}"
SMALL = {
    "pix2pixhd": "base_channels: 4, num_downsamplings: 2, num_blocks: 1, encoder_channels: 2, "
    "encoder_downsamplings: 2, discriminator_channels: 4",
    "lab2pix_v1": "base_channels: 2, hidden_channels: 4, trunk_blocks: 3, style_dim: 4, start_grid: [1, 2], "
    "discriminator_channels: 4, backbone_channels: 4, segmenter_channels: 4",
    "lab2pix_v2": "base_channels: 2, hidden_channels: 4, global_channels: 2, upsampling: normal, "
    "discriminator_channels: 4, backbone_channels: 4",
}
RECIPE = """
name: small
source: {source}
model: {model}
output: {{root: {out}, samples_per_shard: 2}}
resolution: 128x64
samples: 2
seed: 1
"""


def synthgen(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert not left.value.code


def train(family: str, source: str, condition: str, folder: Path) -> str:
    url = str(folder / "model")
    model = f"{{family: {family}, condition: {condition}, {SMALL[family]}}}"
    name = "streetscapes_unpaired" if source is UNPAIRED else "streetscapes_sketch"
    values = {"source": source, "model": model, "resolution": "128x64", "steps": 2, "styles": "{clusters: 2}"}
    synthgen("train", "--config", name, *(f"--set={k}={v}" for k, v in values.items()), "--output", url, "--cpus", "1")
    return url


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.mark.ray
@pytest.mark.soak
@pytest.mark.parametrize("family", SMALL)
def test_drawings_are_learnt_from_and_rendered(family, tmp_path):
    url = train(family, SKETCHES, "sketch", tmp_path)
    model = open_model(url)
    assert [c.name for c in model.catalog.classes] == ["paper", "stroke"]
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "made"
    recipe.write_text(RECIPE.format(source=SKETCHES, model=url, out=out))
    synthgen("augment", "--recipe", str(recipe), "--cpus", "2")
    synthgen("verify", str(out))
    samples = list(open_dataset(str(out), seed=0))
    assert len(samples) == 2


@pytest.mark.ray
@pytest.mark.soak
def test_photographs_of_another_source_are_learnt_from_and_lend_their_looks(tmp_path):
    url = train("lab2pix_v1", UNPAIRED, "labels", tmp_path)
    model = open_model(url)
    assert model.card.training.source["format"] == "unpaired"
    bank = model.style_bank()
    assert bank.searched
    assert len(bank.image_keys) == 4
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "made"
    hour = json.dumps(bank.image_attributes[0])
    styles = f"styles:\n  - {{classes: all, pick: {{attribute: {hour}}}, coherent: true}}\n"
    recipe.write_text(RECIPE.format(source=STREETS, model=url, out=out) + styles)
    synthgen("augment", "--recipe", str(recipe), "--cpus", "2")
    synthgen("verify", str(out))
