from dataclasses import replace
from typing import Any

import numpy as np
import torch

from generators.style import StyleKind
from label_editing.scene import Scene
from pipeline.resolution import Resolution
from pipeline.sources.base import Pair
from pipeline.styles.bank import StyleBank
from pipeline.styles.regions import LookReader
from pipeline.styles.sheet import _fullest_square, contact_sheet


class Identity(torch.nn.Module):
    """An encoder whose features are the colours it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, image_BCHW: torch.Tensor) -> torch.Tensor:
        return image_BCHW


class OnePair:
    """A source of one scene, whatever is asked for."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 256, (*scene.labels.shape, 3), dtype=np.uint8)

    def keys(self) -> list[str]:
        return [f"image{i}" for i in range(6)]

    def read(self, key: str, resolution: Any) -> Pair:
        return Pair(replace(self._scene, key=key), self.image)


def test_a_region_looks_like_the_mean_over_its_pixels(scene: Scene) -> None:
    source = OnePair(scene)
    reader = LookReader(Identity(), StyleKind.INSTANCE, source, Resolution(16, 16))
    looks = reader.looks(*reader.pair("image0"))
    assert looks.class_id.tolist() == [1, 2, 3, 3]
    assert looks.area.tolist() == [4 / 12, 4 / 12, 2 / 12, 2 / 12]
    for row, region in enumerate((1, 2, 3000, 3001)):
        expected = (source.image[scene.instances == region] / 127.5 - 1).mean(axis=0)
        assert np.allclose(looks.vectors[row], expected, atol=1e-5)


def test_the_contact_sheet_has_a_row_per_class_and_shows_the_regions(bank: StyleBank, scene: Scene) -> None:
    sheet = contact_sheet(bank, OnePair(scene), scene.catalog, Resolution(16, 16))
    assert sheet.shape[0] % 3 == 0
    row = sheet.shape[0] // 3
    assert all(len(np.unique(sheet[top : top + 60, 110:], axis=0)) > 1 for top in (0, row, 2 * row))


def test_a_crop_shows_the_fullest_square_of_a_long_region_and_all_of_a_compact_one() -> None:
    road = np.zeros((40, 200), bool)
    road[20:30, 10:] = True
    road[18:36, 120:150] = True
    rows, columns = _fullest_square(road)
    assert (rows.start, rows.stop) == (18, 36)
    assert columns.stop - columns.start == 18
    assert road[rows, columns].all()
    car = np.zeros((40, 200), bool)
    car[10:30, 50:80] = True
    rows, columns = _fullest_square(car)
    assert (rows, columns) == (slice(10, 30), slice(50, 80))
