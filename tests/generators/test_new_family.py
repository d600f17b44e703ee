"""A new family is one folder and one line of a table: added to a copy of the package, it is trained and rendered with
by the commands, on Ray, as any other."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

FOLDER = '''\
"""The smallest family there can be: a colour for every class."""

import torch
from torch import nn

from generators.family import Family, FamilyConfig, Generator, Optimizers, System
from generators.style import StyleKind
from generators.turns import weighted_turn


class PaintConfig(FamilyConfig):
    rate: float = 0.1


class Painter(Generator):
    style_kind, style_dim, stride = StyleKind.NONE, 0, 1

    def __init__(self, config, space):
        super().__init__()
        self.colours = nn.Embedding(space.num_channels, 3)

    def condition(self, labels_BHW, instances_BHW):
        return labels_BHW.long()

    def forward(self, condition, style):
        return self.colours(condition).permute(0, 3, 1, 2).tanh()


class PaintSystem(System):
    encoder = None

    def __init__(self, config, space):
        super().__init__()
        self.rate, self.generator = config.rate, Painter(config, space)
        self.brightness = nn.Parameter(torch.zeros(()))

    def generator_turn(self, batch):
        fake = self.generator(self.generator.condition(batch.labels_BHW, batch.instances_BHW), None)
        return weighted_turn({"colour": (1.0, (fake - batch.image_BCHW).square().mean())}, fake)

    def discriminator_turn(self, batch, fake_BCHW):
        return weighted_turn({"brightness": (1.0, (self.brightness - fake_BCHW.mean()).square())}, fake_BCHW)

    def optimizers(self):
        painting = torch.optim.Adam(self.generator.parameters(), self.rate)
        return Optimizers(painting, torch.optim.SGD([self.brightness], 0.1))


PAINTER = Family("painter", "none", PaintConfig, Painter, lambda config, space: None, PaintSystem)
'''

RECIPE = """\
name: painted
source: {format: streetscapes, split: val, scenes: 4}
model: MODEL
output: {root: ROOT, samples_per_shard: 2, image: {format: png}}
samples: 4
seed: 1
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The packages, with one folder and one line more."""
    copy = tmp_path / "package"
    shutil.copytree(ROOT / "generators", copy / "generators", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pipeline", "orchestration", "label_editing", "configs"):
        (copy / name).symlink_to(ROOT / name)
    (copy / "generators" / "painter").mkdir()
    (copy / "generators" / "painter" / "__init__.py").write_text(FOLDER)
    table = copy / "generators" / "families.py"
    head, name, rows = table.read_text().partition("\nFAMILIES: dict[str, Family] = {")
    assert rows
    table.write_text(f'{head}from generators.painter import PAINTER\n{name}\n    "painter": PAINTER,{rows}')
    return copy


def synthgen(package: Path, *arguments: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(package), "RAY_AUTH_MODE": "disabled"}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "pipeline.cli", *arguments, "--json", "--cpus", "2"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=package, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.soak
@pytest.mark.ray
def test_a_folder_and_a_line_are_trained_and_rendered_with(package: Path, tmp_path: Path) -> None:
    model, output = tmp_path / "model", tmp_path / "painted"
    small = ["--set=model={family: painter}", "--set=resolution=64x32", "--set=steps=60", "--set=source.scenes=8"]
    plain = ["--set=coarse=null", "--set=workers=1", "--set=validation.pairs=2"]
    trained = synthgen(package, "train", *small, *plain, "--output", str(model))
    assert trained["steps"] == 60
    assert json.loads((model / "model.json").read_text())["family"] == "painter"
    recipe = tmp_path / "painted.yaml"
    recipe.write_text(RECIPE.replace("MODEL", str(model)).replace("ROOT", str(output)))
    synthgen(package, "augment", "--recipe", str(recipe))
    assert json.loads((output / "dataset.json").read_text())["samples"] == 4
