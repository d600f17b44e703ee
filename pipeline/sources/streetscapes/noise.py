"""Tiles of smooth noise, the same in every process."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

TILE = 512  # a power of two, so that wrapping is a bit mask


@cache
def texture_tile() -> npt.NDArray[np.float32]:
    """Noise of several octaves that wraps around, zero mean, unit deviation: asphalt, plaster, leaves."""
    return _octaves(seed=11, sizes=(512, 256, 128, 32), weights=(0.55, 0.8, 0.7, 0.45))


@cache
def cloud_tile() -> npt.NDArray[np.float32]:
    """Soft noise that wraps around: clouds."""
    return _octaves(seed=23, sizes=(8, 16, 32, 64), weights=(1.0, 0.6, 0.35, 0.2))


@cache
def grain_tile() -> npt.NDArray[np.float32]:
    """What a sensor adds: noise without structure."""
    return np.random.default_rng(37).standard_normal((TILE, TILE)).astype(np.float32)


def _octaves(seed: int, sizes: tuple[int, ...], weights: tuple[float, ...]) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    total = np.zeros((TILE, TILE), np.float32)
    for size, weight in zip(sizes, weights, strict=True):
        coarse = rng.standard_normal((size, size)).astype(np.float32)
        total += weight * _enlarge_wrapping(coarse)
    total -= total.mean()
    return np.clip(total / total.std(), -2.5, 2.5)


def _enlarge_wrapping(coarse: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    size = coarse.shape[0]
    if size == TILE:
        return coarse
    margin = 2
    padded = np.pad(coarse, margin, mode="wrap")
    factor = TILE // size
    large = cv2.resize(padded, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    edge = margin * factor
    return large[edge : edge + TILE, edge : edge + TILE]
