"""The same four edits as one writes them first: masks over the whole map, a full scan for every instance.

The yardstick of bench_label_editing.py. It fills holes with the nearest background pixel and pastes a cut-out where its
foot line is road, in perspective and in depth order: the same task, by whole-image operations.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Maps = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]
CutOut = npt.NDArray[np.bool_]


def swap_class(maps: Maps, old: int, new: int) -> Maps:
    """One stuff class to another."""
    labels, instances = maps[0].copy(), maps[1].copy()
    labels[maps[0] == old] = new
    instances[maps[1] == old] = new
    return labels, instances


def remove_instances(
    maps: Maps, classes: list[int], count: int, background: list[int], rng: np.random.Generator
) -> Maps:
    """Some instances go; each hole takes the nearest background pixel."""
    labels, instances = maps[0].copy(), maps[1].copy()
    candidates = [i for i in np.unique(instances) if i >= 1000 and i // 1000 in classes]
    for instance in rng.permutation(candidates)[:count]:
        hole = instances == instance
        seeds = np.isin(labels, background) & ~hole
        _, nearest = cv2.distanceTransformWithLabels(
            (~seeds).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        values = np.zeros(nearest.max() + 1, np.uint8)
        values[nearest[seeds]] = labels[seeds]
        filled = values[nearest]
        labels[hole], instances[hole] = filled[hole], filled[hole]
    return labels, instances


def add_instances(
    maps: Maps, class_id: int, count: int, cut_outs: list[CutOut], support: list[int], rng: np.random.Generator
) -> Maps:
    """Cut-outs pasted on their support, sized by a line through the scene's own objects of the class."""
    labels, instances = maps[0].copy(), maps[1].copy()
    slope, horizon = _perspective(instances, class_id)
    for _ in range(count):
        rows, columns = np.nonzero(np.isin(labels, support))
        for _ in range(60):
            at = rng.integers(len(rows))
            height = round(slope * (rows[at] - horizon))
            if height < 25 or height > labels.shape[0] // 2:
                continue
            mask = _placed(labels.shape, cut_outs[rng.integers(len(cut_outs))], rows[at], columns[at], height)
            if mask is not None and _stands(labels, instances, mask, rows[at], support):
                visible = mask & ~_nearer(instances, rows[at])
                taken = np.unique(instances)
                free = next(k for k in range(1000) if class_id * 1000 + k not in taken)
                labels[visible], instances[visible] = class_id, class_id * 1000 + free
                break
    return labels, instances


def mirror(maps: Maps, stays: list[int]) -> Maps:
    """Left to right, but for classes that stay."""
    labels, instances = maps[0][:, ::-1].copy(), maps[1][:, ::-1].copy()
    kept = np.isin(maps[0], stays)
    moved = np.isin(labels, stays) & ~kept
    for here in (kept, moved):
        labels[here], instances[here] = maps[0][here], maps[1][here]
    return labels, instances


def cut_outs_of(instances: npt.NDArray[np.int32], class_id: int) -> list[CutOut]:
    """The tight mask of each instance of a class."""
    found = []
    for instance in np.unique(instances):
        if instance >= 1000 and instance // 1000 == class_id:
            rows, columns = np.nonzero(instances == instance)
            found.append((instances == instance)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    return found


def _perspective(instances: npt.NDArray[np.int32], class_id: int) -> tuple[float, float]:
    feet, heights = [], []
    for instance in np.unique(instances):
        if instance >= 1000 and instance // 1000 == class_id:
            rows, _ = np.nonzero(instances == instance)
            feet.append(rows.max())
            heights.append(rows.max() - rows.min() + 1)
    if len(feet) < 4:
        return 1.1, 0.4 * instances.shape[0]
    slope, offset = np.polyfit(feet, heights, 1)
    return (slope, -offset / slope) if slope > 0 else (1.1, 0.4 * instances.shape[0])


def _placed(shape: tuple[int, ...], cut_out: CutOut, row: Any, column: Any, height: int) -> CutOut | None:
    width = max(1, round(cut_out.shape[1] * height / cut_out.shape[0]))
    top, left = row - height + 1, column - width // 2
    if top < 0 or left < 0 or left + width > shape[1]:
        return None
    mask = np.zeros(shape, np.bool_)
    scaled = cv2.resize(cut_out.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    mask[top : row + 1, left : left + width] = scaled.astype(np.bool_)
    return mask


def _stands(
    labels: npt.NDArray[np.uint8], instances: npt.NDArray[np.int32], mask: CutOut, row: Any, support: list[int]
) -> bool:
    if not np.isin(labels[row][mask[row]], support).all():
        return False
    if (mask & ~_nearer(instances, row)).sum() < 0.4 * mask.sum():
        return False
    for instance in np.unique(instances[mask]):
        if instance >= 1000:
            whole = instances == instance
            if (whole & ~mask).sum() < 0.35 * whole.sum():
                return False
    return True


def _nearer(instances: npt.NDArray[np.int32], row: Any) -> CutOut:
    nearer = np.zeros(instances.shape, np.bool_)
    for instance in np.unique(instances):
        if instance >= 1000:
            mask = instances == instance
            if np.nonzero(mask)[0].max() > row:
                nearer |= mask
    return nearer
