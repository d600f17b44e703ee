"""A source of eight tiny pairs whose image follows from the label map, and a job that trains on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generators import family_named
from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import Scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source, SourceConfig
from pipeline.training.data import Views
from pipeline.training.job import Job

CATALOG = Catalog(
    name="toy",
    classes=(
        ClassSpec(id=2, name="road", color=(10, 20, 30), layer="ground"),
        ClassSpec(id=5, name="sky", color=(200, 100, 50), layer="sky"),
    ),
)


class ToySource(Source):
    format, split, catalog = "toy", "train", CATALOG

    def __init__(self, pairs: int, broken: str | None, without_image: tuple[str, ...] = ()) -> None:
        self._pairs, self._broken, self._without_image = pairs, broken, without_image
        self.reads: list[str] = []

    def keys(self) -> Sequence[str]:
        return [f"pair{i}" for i in range(self._pairs)]

    def attributes(self, key: str) -> Mapping[str, str]:
        return {"time_of_day": "day"}

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        if key == self._broken:
            raise SourceError(f"{key}.png: not a PNG")
        self.reads.append(key)
        size = resolution or Resolution(32, 16)
        labels = np.full((size.height, size.width), 2, np.uint8)
        labels[: 4 + int(key[4:])] = 5
        return Scene(labels, None, CATALOG, key, self.attributes(key))

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        if key in self._without_image:
            return None
        return CATALOG.palette[self.read_scene(key, resolution).labels]

    def has_image(self, key: str) -> bool:
        return key not in self._without_image

    def fingerprint(self) -> str:
        return "toy"


class ToyConfig(SourceConfig):
    format: str = "toy"
    pairs: int = 8
    broken: str | None = None
    without_image: tuple[str, ...] = ()

    def open(self) -> Source:
        return ToySource(self.pairs, self.broken, self.without_image)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    config = family_named("pix2pixhd").config(
        base_channels=4,
        num_downsamplings=1,
        num_blocks=1,
        encoder_channels=4,
        encoder_downsamplings=1,
        discriminator_channels=4,
        discriminator_scales=1,
    )
    return Job(
        name="toy",
        output=str(tmp_path / "model"),
        source=ToyConfig(),
        family="pix2pixhd",
        config=config,
        catalog=CATALOG,
        views=Views(Resolution(32, 16)),
        steps=6,
        precision="float32",
        checkpoint_every=2,
        samples_every=3,
        average_decay=0.9,
    )


@pytest.fixture
def broken_job(job: Job) -> Job:
    return replace(job, source=ToyConfig(broken="pair3"), steps=20)
