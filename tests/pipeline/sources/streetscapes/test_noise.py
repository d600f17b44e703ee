"""Tiles of noise repeat without a seam."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.sources.streetscapes.noise import TILE, cloud_tile, texture_tile


@pytest.mark.parametrize("tile", [texture_tile(), cloud_tile()])
def test_a_tile_has_no_seam(tile: npt.NDArray[np.float32]) -> None:
    assert tile.shape == (TILE, TILE)
    for axis in (0, 1):
        steps = np.abs(np.diff(tile, axis=axis)).mean()
        seam = np.abs(np.take(tile, 0, axis=axis) - np.take(tile, -1, axis=axis)).mean()
        assert seam < 1.5 * steps


@pytest.mark.parametrize("tile", [texture_tile(), cloud_tile()])
def test_a_tile_neither_brightens_nor_darkens(tile: npt.NDArray[np.float32]) -> None:
    assert abs(float(tile.mean())) < 0.02
    assert 0.8 < float(tile.std()) < 1.05
