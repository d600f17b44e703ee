"""A window of a map at another size: nearest neighbour, with thin classes kept from vanishing where asked."""

from typing import Any

import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box


def sample_positions(start: int, length: int, count: int) -> npt.NDArray[np.intp]:
    """Which of `length` pixels from `start` on each of `count` new pixels takes: the one under its centre."""
    return start + ((2 * np.arange(count) + 1) * length) // (2 * count)


def resample(values: npt.NDArray[Any], box: Box, height: int, width: int) -> npt.NDArray[Any]:
    """The box of a map at height x width, nearest neighbour, in integer arithmetic: the same bytes anywhere."""
    rows = sample_positions(box.top, box.height, height)
    columns = sample_positions(box.left, box.width, width)
    return np.ascontiguousarray(values[rows].take(columns, axis=1))


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
