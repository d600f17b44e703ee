"""A window of a map at another size: nearest neighbour, with thin classes kept from vanishing where asked."""

from typing import Any

import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.scene import InstanceMap, Scene, class_of_instance


def sample_positions(start: int, length: int, count: int) -> npt.NDArray[np.intp]:
    """Which of `length` pixels from `start` on each of `count` new pixels takes: the one under its centre."""
    return start + ((2 * np.arange(count) + 1) * length) // (2 * count)


def resample(values: npt.NDArray[Any], box: Box, height: int, width: int) -> npt.NDArray[Any]:
    """The box of a map at height x width, nearest neighbour, in integer arithmetic: the same bytes anywhere."""
    rows = sample_positions(box.top, box.height, height)
    columns = sample_positions(box.left, box.width, width)
    return np.ascontiguousarray(values[rows].take(columns, axis=1))


def resize_scene(scene: Scene, height: int, width: int, keep_thin: bool = False) -> Scene:
    """The scene at another size; with `keep_thin`, poles and signs win the pixels of which they cover a third."""
    whole = Box(0, 0, scene.height, scene.width)
    if not keep_thin or (height >= scene.height and width >= scene.width):
        instances = None if scene.instances is None else resample(scene.instances, whole, height, width)
        return scene.with_maps(resample(scene.labels, whole, height, width), instances)
    codes = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
    resized: InstanceMap = resample_keeping(codes, scene.catalog.is_thin[scene.labels], whole, height, width)
    labels = resized if scene.instances is None else class_of_instance(resized)
    stored = labels.astype(np.uint8) if scene.labels.dtype == np.uint8 else labels.astype(np.uint16)
    return scene.with_maps(stored, None if scene.instances is None else resized)


def resample_keeping(
    codes: npt.NDArray[Any], thin: npt.NDArray[np.bool_], box: Box, height: int, width: int
) -> npt.NDArray[Any]:
    """As `resample`, but a new pixel whose area is a third or more `thin` takes the thin code in it."""
    rows = _edges(box.height, height)
    columns = _edges(box.width, width)
    inside = thin[box.window]
    sums = np.zeros((box.height + 1, box.width + 1), np.int64)
    sums[1:, 1:] = inside.cumsum(0).cumsum(1)
    bottom, right = np.maximum(rows[1:], rows[:-1] + 1), np.maximum(columns[1:], columns[:-1] + 1)
    top, left = rows[:-1], columns[:-1]
    covered = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    area = (bottom - top)[:, None] * (right - left)[None, :]
    nearest = resample(codes, box, height, width)
    wanted = (3 * covered >= area) & (covered > 0) & ~resample(thin, box, height, width)
    window = codes[box.window]
    for row, column in np.argwhere(wanted).tolist():
        cell = np.s_[top[row] : bottom[row], left[column] : right[column]]
        values, counts = np.unique(window[cell][inside[cell]], return_counts=True)
        nearest[row, column] = values[counts.argmax()]
    return nearest


def _edges(length: int, count: int) -> npt.NDArray[np.intp]:
    return np.arange(count + 1) * length // count
