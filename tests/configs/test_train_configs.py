"""Every training config that ships: its networks can be built, and its images fit them."""

from pathlib import Path

import pytest
import torch

from generators import FAMILIES
from pipeline.catalogs import load_catalog
from pipeline.configs import shipped
from pipeline.model_directory import label_space
from pipeline.train_config import load_train_config

NAMES = sorted(shipped("train"))


def parts(name: str):
    config = load_train_config(name, []).value
    catalog = load_catalog("camvid" if config.source.format == "camvid" else "cityscapes")
    return config, FAMILIES[config.family], label_space(catalog)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_config_builds_a_generator_that_its_images_fit(name: str) -> None:
    config, family, space = parts(name)
    with torch.device("meta"):
        generator = family.build_generator(config.family_config, space)
    width, height = config.resolution
    stride = generator.stride
    assert (width % stride, height % stride) == (0, 0)
    grid = getattr(getattr(generator, "start", None), "grid", None)
    assert grid in (None, (height // stride, width // stride))


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_config_builds_all_that_trains(name: str) -> None:
    config, family, space = parts(name)
    with torch.device("meta"):
        system = family.build_system(config.family_config, space)
    assert list(system.parameters())


@pytest.mark.parametrize("place", ["streetscapes", "camvid", "cityscapes 1024x512", "cityscapes 2048x1024"])
def test_every_family_has_a_config_there(place: str) -> None:
    data, _, size = place.partition(" ")
    there = [load_train_config(n, []).value.family for n in NAMES if n.startswith(data) and n.endswith(size)]
    assert set(there) == set(FAMILIES)


def test_every_config_is_named_after_its_file() -> None:
    for name, path in shipped("train").items():
        assert load_train_config(name, []).value.name.replace("-", "_") == name == Path(path).stem
