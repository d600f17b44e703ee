"""`like:` a photograph that was not trained on."""

import cv2
import numpy as np
import pytest
import torch

from generators import family_named
from generators.style import StyleKind
from pipeline.errors import InputError
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space, open_model
from pipeline.resolution import Resolution
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.styles.bank import StyleBank
from pipeline.styles.draw import check_picks, draw_style
from pipeline.styles.noise import NoiseReader
from pipeline.styles.of_model import fit_styles
from pipeline.styles.photographs import with_photographs
from pipeline.styles.picks import StylePick
from pipeline.train_config import StyleConfig

SIZE = Resolution(64, 64)
TINY = {"base_channels": 2, "hidden_channels": 4, "upsampling": "normal", "style_dim": 6, "encoder_channels": 2}


@pytest.fixture(scope="module")
def spade(tmp_path_factory):
    torch.manual_seed(1)
    source = StreetscapesConfig(format="streetscapes", scenes=3).open()
    row, space = family_named("spade"), label_space(source.catalog)
    config = row.config(**TINY, use_vae=True, start_grid=(2, 2))
    summary = TrainingSummary(
        source={}, source_fingerprint="", pairs=3, steps=0, batch_size=1, seed=0, precision="float32", losses={}
    )
    directory = ModelDirectory(str(tmp_path_factory.mktemp("model")))
    facts = ModelFacts("tiny", "spade", config, source.catalog, SIZE, summary)
    directory.write(facts, row.build_generator(config, space), row.build_encoder(config, space))
    model = open_model(directory.url)
    return model, source, fit_styles(model, source, StyleConfig(clusters=2), lambda done, total: None)


@pytest.fixture
def source_of_noise():
    torch.manual_seed(1)
    source = StreetscapesConfig(format="streetscapes", scenes=1).open()
    row = family_named("oasis")
    config = row.config(base_channels=2, hidden_channels=4, noise_dim=5)
    return row.build_generator(config, label_space(source.catalog)), source


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "dusk.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    return path


def test_a_file_lends_the_code_its_encoder_gives_it(spade, photograph):
    model, source, bank = spade
    line = StylePick(pick={"like": str(photograph)})
    longer = with_photographs(bank, [line], model, source)
    assert check_picks(longer, [line]) == []
    scene = source.read_scene(source.keys()[0], SIZE)
    style, (record,) = draw_style(longer, [line], scene, np.random.default_rng(0))
    assert record["image"] == str(photograph)
    pixels = cv2.imread(str(photograph))[:, :, ::-1].astype(np.float32) / 127.5 - 1
    with torch.inference_mode():
        code = model.load_encoder()(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None])[0]
    np.testing.assert_allclose(style.vectors, code.numpy(), atol=1e-5)
    assert longer.fingerprint() != bank.fingerprint(), "a plan depends on the photograph"
    assert [c.size for c in longer.clusters] == [c.size for c in bank.clusters]


def test_a_file_that_is_not_there_is_one_line(spade, tmp_path):
    model, source, bank = spade
    with pytest.raises(InputError) as refused:
        with_photographs(bank, [StylePick(pick={"like": f"{tmp_path}/dawn.jpg"})], model, source)
    assert str(refused.value) == f"like: {tmp_path}/dawn.jpg: no such file"


def test_a_model_with_a_look_an_instance_says_why_a_file_cannot_lend(spade, bank: StyleBank):
    model, source, _ = spade
    line = StylePick(pick={"like": "photos/dusk.jpg"})
    assert bank.kind is StyleKind.INSTANCE
    assert with_photographs(bank, [line], model, source) is bank
    (problem,) = check_picks(bank, [line])
    assert problem.endswith("; a photograph from elsewhere can lend its look only where a model has one look for "
                            "the whole image")  # fmt: skip


def test_the_noise_of_a_photograph_does_not_depend_on_those_before_it(source_of_noise):
    model, source = source_of_noise
    scene = source.read_scene(source.keys()[0], SIZE)
    dusk, dawn = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    first = NoiseReader(model, source, SIZE)
    alone = first.looks(scene, dusk).vectors
    second = NoiseReader(model, source, SIZE)
    assert not np.array_equal(second.looks(scene, dawn).vectors, alone)
    np.testing.assert_array_equal(second.looks(scene, dusk).vectors, alone)
