"""Styles that are one code an image (SPADE's VAE) and styles that are noise (OASIS): fitted, drawn, rendered."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generators import family_named
from generators.family import Generator
from generators.inference import Renderer
from generators.style import StyleKind
from orchestration.cluster import connect, shutdown
from pipeline.errors import SourceError
from pipeline.model_directory import ModelDirectory, ModelFacts, OpenModel, TrainingSummary, label_space, open_model
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.selection import SelectedSource
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.styles.bank import WHOLE_IMAGE, StyleBank
from pipeline.styles.draw import check_picks, draw_style, replay_style
from pipeline.styles.noise import NoiseReader, small_size
from pipeline.styles.of_model import fit_styles
from pipeline.styles.picks import StylePick
from pipeline.train_config import StyleConfig

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
    "lab2pix_v1": {"base_channels": 2, "hidden_channels": 4, "trunk_blocks": 1, "start_grid": (4, 4), "style_dim": 5},
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
    scene, _ = source.read(source.keys()[0], SIZE)
    whole, _ = draw_style(bank, [], scene, np.random.default_rng(0))
    assert whole.ids is None
    road, _ = draw_style(bank, [StylePick(classes=["road"], pick="random")], scene, np.random.default_rng(0))
    changed = (road.vectors != whole.vectors).any(axis=1)
    assert {int(i) for i in road.ids[changed]} == {scene.catalog.named("road").id}
    other, _ = draw_style(bank, [], scene, np.random.default_rng(1))
    assert (rendered(opened, scene, whole) != rendered(opened, scene, other)).any()


@pytest.mark.parametrize("family", ["oasis", "lab2pix_v1"])
def test_noise_is_found_for_every_photograph_so_that_looks_can_be_picked(model, source, family):
    bank = model(family).style_bank()
    assert bank.searched
    assert set(bank.image_keys) == set(source.keys())
    assert set(bank.by_class) == {WHOLE_IMAGE}
    scene, _ = source.read(source.keys()[0], SIZE)
    hour = bank.attribute_values()["time_of_day"][0]
    fitting = {bank.image_keys[i] for i in bank.images_with({"time_of_day": hour})}
    for pick, images in (
        ({"like": source.keys()[3]}, {source.keys()[3]}),
        ("source", {scene.key}),
        ({"attribute": {"time_of_day": hour}}, fitting),
    ):
        line = StylePick(classes="all", pick=pick, coherent=True)
        assert check_picks(bank, [line]) == []
        for seed in range(4):
            _, (record,) = draw_style(bank, [line], scene, np.random.default_rng(seed))
            assert record["image"] in images
            row = bank.rows_of_image(bank.image_index[record["image"]])
            np.testing.assert_array_equal(np.float32([record["vector"]]), bank.members.vectors[row])


def test_random_noise_is_drawn_afresh_and_a_cluster_gives_noise_that_was_tried(model, source):
    bank = model("oasis").style_bank()
    scene, _ = source.read(source.keys()[0], SIZE)
    style, (record,) = draw_style(bank, [], scene, np.random.default_rng(0))
    assert record["image"] == ""
    assert not (bank.members.vectors == style.vectors).all(axis=1).any()
    line = StylePick(classes="all", pick={"cluster": 1})
    style, (record,) = draw_style(bank, [line], scene, np.random.default_rng(0))
    assert record["cluster"] == 1
    assert (bank.members.vectors == style.vectors).all(axis=1).any()


def test_a_region_of_a_named_class_takes_the_noise_of_the_line_that_names_it(model, source):
    bank = model("oasis").style_bank()
    scene, _ = source.read(source.keys()[0], SIZE)
    lines = [StylePick(pick="source"), StylePick(classes=["road"], pick={"like": source.keys()[2]})]
    _, records = draw_style(bank, lines, scene, np.random.default_rng(0))
    images = {record["class"]: record["image"] for record in records}
    assert images.pop("road") == source.keys()[2]
    assert set(images.values()) == {scene.key}


def test_a_bank_says_that_its_noise_was_searched(model):
    bank = model("oasis").style_bank()
    assert StyleBank.from_parquet(bank.to_parquet()).searched
    assert replace(bank, searched=False).fingerprint() != bank.fingerprint()


class Brightness(Generator):
    """Renders as bright as its noise says."""

    style_kind, style_dim, stride = StyleKind.NOISE, 1, 16

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def condition(self, labels_BHW, instances_BHW):
        return labels_BHW

    def forward(self, condition, style):
        return (style * 0.5).tanh().expand(-1, 3, -1, -1)


def test_the_noise_that_is_kept_renders_the_light_of_its_photograph(source):
    reader = NoiseReader(Brightness(), source, SIZE)
    for key in source.keys():
        looks = reader.looks(*reader.pair(key))
        _, image = source.read(key, SIZE)
        rendered = np.tanh(0.5 * looks.vectors[0, 0])
        bands = (image / 127.5 - 1).reshape(4, 16, 64, 3).mean(axis=(1, 2))
        drawn = np.tanh(0.5 * np.random.default_rng(0).standard_normal(1000))
        # Nearer than all but one in eight of what may be drawn: 32 were tried.
        distances = np.abs(drawn[:, None, None] - bands).mean(axis=(1, 2))
        # Where bright and dark bands balance, every noise between them is equally near: equal but for rounding.
        assert np.abs(rendered - bands).mean() <= np.quantile(distances, 0.125) + 1e-6


def test_a_small_size_keeps_the_shape_and_suits_the_stride():
    assert small_size(Resolution(1024, 512), 32) == Resolution(128, 64)
    assert small_size(Resolution(256, 128), 128) == Resolution(256, 128)
    assert small_size(Resolution(720, 960), 16) == Resolution(64, 80)


def test_label_maps_without_an_image_lend_no_looks(model, source):
    opened = model("spade")
    left_out = source.keys()[0]

    class Partly(SelectedSource):
        def has_image(self, key: str) -> bool:
            return key != left_out

        def read(self, key, resolution=None):
            pair = super().read(key, resolution)
            return pair if self.has_image(key) else pair._replace(image=None)

    bank = fit_styles(opened, Partly(source, tuple(source.keys())), StyleConfig(clusters=2), lambda done, total: None)
    assert sum(c.size for c in bank.clusters) == 5
    assert left_out not in bank.image_keys
    bare = SelectedSource(Partly(source, tuple(source.keys())), (left_out,))
    with pytest.raises(SourceError, match="has no image for this label map; styles are fitted on images"):
        fit_styles(opened, bare, StyleConfig(clusters=2), lambda done, total: None)


@pytest.mark.ray
@pytest.mark.parametrize("family", ["spade", "oasis"])
def test_the_workers_of_a_cluster_see_the_same_looks(family, model, source):
    opened, seen = model(family), []
    here = opened.style_bank()
    try:
        cluster = connect("local", num_cpus=2)
        there = fit_styles(opened, source, StyleConfig(clusters=2), lambda *done: seen.append(done), cluster)
    finally:
        shutdown()
    assert seen == [(n, 6) for n in range(1, 7)]
    assert there.image_keys == here.image_keys
    assert there.searched == here.searched
    assert [c.size for c in there.clusters] == [c.size for c in here.clusters]
    np.testing.assert_allclose(there.members.vectors, here.members.vectors, atol=1e-5)


@pytest.mark.ray
def test_an_image_that_a_worker_cannot_read_is_spoken_of_as_if_read_here(model, source, monkeypatch):
    monkeypatch.setattr("pipeline.styles.of_model.keys_with_images", lambda source: ["streetscapes-train-000099"])
    try:
        with pytest.raises(SourceError, match="streetscapes-train-000099"):
            fit_styles(model("spade"), source, StyleConfig(), lambda *done: None, connect("local", num_cpus=2))
    finally:
        shutdown()
