"""A world of flat colours, in which a judge is taught in seconds, and everything that is measured is known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import Scene
from pipeline.console import Console, ProgressMode
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source

ROAD, SKY, CAR, VOID = 1, 2, 3, 9
CATALOG = Catalog(
    name="flat",
    classes=(
        ClassSpec(id=ROAD, name="road", color=(200, 40, 40), layer="ground", train_id=0),
        ClassSpec(id=SKY, name="sky", color=(40, 40, 200), layer="sky", train_id=1),
        ClassSpec(id=CAR, name="car", color=(40, 200, 40), layer="object", thing=True, train_id=2, support=("road",)),
        ClassSpec(id=VOID, name="void", color=(0, 0, 0), layer="void", void=True),
    ),
)
SIZE = Resolution(48, 32)


class FlatWorld(Source):
    """Sky over road, one car on it; every pixel has the colour of its class, with noise."""

    format, split, catalog = "flat", "train", CATALOG

    def __init__(self, pairs: int = 6, images: bool = True, name: str = "flat", first: int = 0) -> None:
        self._pairs, self._images, self._name, self._first = pairs, images, name, first
        self.reads: list[str] = []

    def keys(self) -> Sequence[str]:
        return [f"{self._name}{self._first + i:02d}" for i in range(self._pairs)]

    def attributes(self, key: str) -> Mapping[str, str]:
        return {"time_of_day": "day" if int(key[-2:]) % 2 else "dusk"}

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        self.reads.append(key)
        rng = np.random.default_rng(int(key[-2:]))
        size = resolution or SIZE
        labels = np.full((size.height, size.width), ROAD, np.uint8)
        horizon = int(rng.integers(size.height // 4, size.height // 2))
        labels[:horizon] = SKY
        left = int(rng.integers(0, size.width - 14))
        labels[horizon + 2 : horizon + 12, left : left + 14] = CAR
        labels[-2:] = VOID
        instances = labels.astype(np.int32)
        instances[labels == CAR] = CAR * 1000
        return Scene(labels, instances, CATALOG, key, self.attributes(key))

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        if not self._images:
            return None
        colours = CATALOG.palette[self.read_scene(key, resolution).labels].astype(np.float64)
        noise = np.random.default_rng(int(key[-2:])).normal(0, 12, colours.shape)
        return np.clip(colours + noise, 0, 255).astype(np.uint8)

    def fingerprint(self) -> str:
        return f"{self._name}{self._pairs}"


@pytest.fixture
def quiet() -> Console:
    return Console(quiet=True, mode=ProgressMode.OFF)


@pytest.fixture
def world() -> FlatWorld:
    return FlatWorld()


@pytest.fixture(scope="session")
def judge():
    from pipeline.evaluation.judge import JudgeSettings, train_judge

    settings = JudgeSettings(steps=60, batch_size=4, width=8)
    return train_judge(FlatWorld(), SIZE, settings, Console(quiet=True, mode=ProgressMode.OFF))


@pytest.fixture(scope="session")
def flat_catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def make_world():
    return FlatWorld


def write_toy_model(folder: str, catalog: Catalog, size: Resolution, source: dict) -> str:
    """An untrained pix2pixHD of a few channels, with an empty style bank."""
    import torch

    from generators import family_named
    from generators.style import StyleKind
    from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space
    from pipeline.styles.bank import Members, StyleBank

    family = family_named("pix2pixhd")
    config = family.config(base_channels=2, num_downsamplings=1, num_blocks=1, encoder_channels=2)
    torch.manual_seed(0)
    generator = family.build_generator(config, label_space(catalog))
    encoder = family.build_encoder(config, label_space(catalog))
    summary = TrainingSummary(
        source=source,
        source_fingerprint="0",
        pairs=1,
        steps=0,
        batch_size=1,
        seed=0,
        precision="float32",
        losses={},
    )
    directory = ModelDirectory(folder)
    directory.write(ModelFacts("toy", "pix2pixhd", config, catalog, size, summary), generator, encoder)
    none = np.zeros(0, np.int32)
    members = Members(none, none, none, none, np.zeros((0, generator.style_dim), np.float32))
    directory.write_styles(StyleBank(StyleKind.INSTANCE, generator.style_dim, (), (), (), members))
    return directory.url


@pytest.fixture(scope="session")
def flat_model(tmp_path_factory):
    """An untrained model that paints the flat world."""
    from pipeline.model_directory import open_model

    return open_model(write_toy_model(str(tmp_path_factory.mktemp("flat") / "toy"), CATALOG, SIZE, {"format": "flat"}))


@pytest.fixture(scope="session")
def street_model(tmp_path_factory) -> str:
    """An untrained model directory that says it was trained on six street scenes."""
    from pipeline.catalogs import load_catalog

    source = {"format": "streetscapes", "scenes": 6}
    return write_toy_model(
        str(tmp_path_factory.mktemp("street") / "toy"), load_catalog("cityscapes"), Resolution(64, 32), source
    )
