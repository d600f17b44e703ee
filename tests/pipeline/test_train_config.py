import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from generators import FAMILIES, family_named
from pipeline.configs import shipped
from pipeline.errors import ConfigError, InputError
from pipeline.resolution import Resolution
from pipeline.train_config import load_train_config
from pipeline.training.run import make_plan


@pytest.mark.parametrize("name", sorted(shipped("train")))
def test_every_shipped_config_loads_and_opens_with_its_command(name: str) -> None:
    loaded = load_train_config(name, [])
    assert loaded.text.startswith("# synthgen train")
    assert f"--config {name}" in loaded.text.splitlines()[0] or name == "streetscapes"


def test_the_model_block_becomes_the_familys_own_config() -> None:
    config = load_train_config("streetscapes", ["model.base_channels=8"]).value
    assert type(config.family_config) is FAMILIES["pix2pixhd"].config
    assert config.family_config.base_channels == 8


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_can_be_named(family: str) -> None:
    config = load_train_config("streetscapes", [f"model={{family: {family}}}"]).value
    assert config.family_config == family_named(family).config()


def test_the_job_pickles() -> None:
    plan = make_plan(load_train_config("streetscapes", []).value, "/tmp/somewhere")
    assert pickle.loads(pickle.dumps(plan.job)) == plan.job
    assert plan.job.output == "/tmp/somewhere"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three label maps, of which one has no image."""
    for key in ("a", "b", "c"):
        for name in ("labels", "images"):
            (tmp_path / name).mkdir(exist_ok=True)
            if (key, name) != ("b", "images"):
                cv2.imwrite(str(tmp_path / name / f"{key}.png"), np.full((32, 64), 7, np.uint8))
    return tmp_path


def of_folder(folder: Path) -> list[str]:
    patterns = "labels: 'labels/*.png', images: 'images/*.png'"
    return [f"source={{format: folder, root: {folder}, catalog: cityscapes, {patterns}}}", "resolution=64x32"]


def test_label_maps_without_an_image_are_found_before_training(folder: Path) -> None:
    plan = make_plan(load_train_config("streetscapes", [*of_folder(folder), "validation.split=null"]).value, None)
    assert (plan.pairs, plan.left_out) == (2, (f"{folder}/labels/b.png: no image of this name",))


def test_a_source_without_any_image_is_refused_before_training(folder: Path) -> None:
    labels_alone = [option.replace(", images: 'images/*.png'", "") for option in of_folder(folder)]
    config = load_train_config("streetscapes", [*labels_alone, "validation.split=null"]).value
    with pytest.raises(
        InputError, match=r"^source: none of its 3 label maps has an image; training needs pairs of both$"
    ):
        make_plan(config, None)


def test_epochs_count_the_source_and_the_workers() -> None:
    epochs = ["steps=null", "epochs=2.5", "source.scenes=10", "batch_size=2", "accumulate=2"]
    alone = load_train_config("streetscapes", [*epochs, "workers=1"]).value
    assert make_plan(alone, None).job.steps == 6
    together = load_train_config("streetscapes", [*epochs, "workers=2"]).value
    assert make_plan(together, None).job.steps == 3


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            ["model.base_chanels=3"],
            "--set model.base_chanels: unknown key 'base_chanels'; did you mean 'base_channels'?",
        ),
        (["model.family=pix2pixhq"], "--set model.family: unknown family 'pix2pixhq'; did you mean 'pix2pixhd'?"),
        (["steps=0"], "--set steps: expected at least 1, found 0"),
        (
            ["precision=fp16"],
            "--set precision: expected auto, float32, bfloat16 or float16, found 'fp16'; did you mean 'float16'?",
        ),
    ],
)
def test_mistakes_are_named_with_the_nearest_name(overrides: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_train_config("streetscapes", overrides)
    assert error.value.problems[0] == problem


def test_steps_and_epochs_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="expected either steps or epochs"):
        load_train_config("streetscapes", ["epochs=3"])


def test_a_best_model_needs_something_to_measure() -> None:
    with pytest.raises(ConfigError, match=r"checkpoints\.model best needs validation\.pairs: with 0 nothing is"):
        load_train_config("streetscapes", ["checkpoints.model=best", "validation.pairs=0"])


def test_pairs_are_read_at_least_as_large_as_what_is_cut_out() -> None:
    with pytest.raises(
        ConfigError, match=r"data\.load 128x64 is smaller than resolution 256x128, which is cut out of it"
    ):
        load_train_config("streetscapes", ["data.load=128x64"])


def test_the_papers_settings_are_the_familys_defaults() -> None:
    config = load_train_config("cityscapes_pix2pixhd_1024x512", []).value
    assert (config.resolution, config.epochs, config.decay, config.batch_size) == (Resolution(1024, 512), 200, 0.5, 1)
    assert config.family_config == family_named("pix2pixhd").config()


def test_what_is_trained_on_is_no_validation_split() -> None:
    with pytest.raises(ConfigError) as caught:
        load_train_config("streetscapes", ["validation.split=train"])
    assert caught.value.problems == [
        "--set validation.split: validation.split 'train' is what is trained on; give a held-out split, or null to "
        "measure on pairs that are trained on"
    ]
    for fine in ("validation.split=null", "validation.pairs=0"):
        load_train_config("streetscapes", ["source.split=val", fine])
