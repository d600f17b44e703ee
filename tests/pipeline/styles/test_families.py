"""Styles that are one code an image (SPADE's VAE) and styles that are noise (OASIS): fitted, drawn, rendered."""

import numpy as np
import pytest
import torch

from generators import family_named
from generators.inference import Renderer
from pipeline.model_directory import ModelDirectory, ModelFacts, OpenModel, TrainingSummary, label_space, open_model
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.styles.bank import WHOLE_IMAGE
from pipeline.styles.draw import check_picks, draw_style, replay_style
from pipeline.styles.picks import StylePick
from pipeline.train_config import StyleConfig
from pipeline.training.run import fit_styles

SIZE = Resolution(64, 64)
TINY = {
    "spade": {
        "base_channels": 2,
        "hidden_channels": 4,
        "upsampling": "normal",
        "use_vae": True,
        "style_dim": 6,
        "start_grid": (2, 2),
        "encoder_channels": 2,
    },
    "oasis": {"base_channels": 2, "hidden_channels": 4, "noise_dim": 5},
}


@pytest.fixture(scope="module")
def source() -> Source:
    return StreetscapesConfig(format="streetscapes", scenes=6).open()


@pytest.fixture
def model(tmp_path, source):
    def make(family: str) -> OpenModel:
        torch.manual_seed(1)
        row, space = family_named(family), label_space(source.catalog)
        config = row.config(**TINY[family])
        summary = TrainingSummary(
            source={}, source_fingerprint="", pairs=6, steps=0, batch_size=1, seed=0, precision="float32", losses={}
        )
        facts = ModelFacts("tiny", family, config, source.catalog, SIZE, summary)
        directory = ModelDirectory(str(tmp_path / family))
        directory.write(facts, row.build_generator(config, space), row.build_encoder(config, space))
        opened = open_model(directory.url)
        directory.write_styles(fit_styles(opened, source, StyleConfig(clusters=2), lambda done, total: None))
        return opened

    return make


def rendered(model, scene, style):
    labels = scene.catalog.channel_of[scene.labels][None]
    instances = None if scene.instances is None else scene.instances[None]
    return Renderer(model.load_generator(), device="cpu").render(labels, instances, [style])[0]


def test_codes_of_whole_images_are_clustered_drawn_and_rendered(model, source):
    opened = model("spade")
    bank = opened.style_bank()
    assert {c.class_id for c in bank.clusters} == {WHOLE_IMAGE}
    assert sum(c.size for c in bank.clusters) == 6
    scene, _ = source.read(source.keys()[0], SIZE)
    like = StylePick(classes="all", pick={"like": source.keys()[3]})
    assert check_picks(bank, [like]) == []
    style, records = draw_style(bank, [like], scene, np.random.default_rng(0))
    assert style.ids is None
    row = bank.rows_of_image(bank.image_index[source.keys()[3]])
    np.testing.assert_array_equal(style.vectors, bank.members.vectors[row])
    again = replay_style(records)
    np.testing.assert_array_equal(again.vectors, style.vectors)
    assert rendered(opened, scene, style).shape == (64, 64, 3)


def test_a_code_drawn_by_hour_comes_from_an_image_of_that_hour(model, source):
    bank = model("spade").style_bank()
    scene, _ = source.read(source.keys()[0], SIZE)
    hour = bank.attribute_values()["time_of_day"][0]
    pick = StylePick(classes="all", pick={"attribute": {"time_of_day": hour}}, coherent=True)
    fitting = {bank.image_keys[i] for i in bank.images_with({"time_of_day": hour})}
    for seed in range(8):
        _, (record,) = draw_style(bank, [pick], scene, np.random.default_rng(seed))
        assert record["image"] in fitting


def test_a_model_of_whole_images_refuses_looks_of_single_classes(model):
    problems = check_picks(model("spade").style_bank(), [StylePick(classes=["car"], pick="random")])
    assert problems == ["styles[0].classes: this model has one style for the whole image; only 'all' is possible"]


def test_noise_is_drawn_for_the_image_or_for_named_classes_and_changes_what_is_rendered(model, source):
    opened = model("oasis")
    bank = opened.style_bank()
    assert (bank.dim, bank.clusters) == (5, ())
    scene, _ = source.read(source.keys()[0], SIZE)
    whole, _ = draw_style(bank, [], scene, np.random.default_rng(0))
    assert whole.ids is None
    road, _ = draw_style(bank, [StylePick(classes=["road"], pick="random")], scene, np.random.default_rng(0))
    changed = (road.vectors != whole.vectors).any(axis=1)
    assert {int(i) for i in road.ids[changed]} == {scene.catalog.named("road").id}
    other, _ = draw_style(bank, [], scene, np.random.default_rng(1))
    assert (rendered(opened, scene, whole) != rendered(opened, scene, other)).any()
    assert check_picks(bank, [StylePick(classes="all", pick={"tag": "night"})]) == [
        "styles[0].pick: this model has no style bank, so it cannot give {'tag': 'night'}; use 'random'"
    ]
