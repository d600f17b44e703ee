"""What is behind an object: the hole it leaves is filled by continuing the background around it.

Ground, and a fence or wall that both sides show before something higher, is continued in lines from side to side
(`ground_lines`); what else stands, and the sky, from the nearest pixel. No object, no pole and nothing void is ever
continued.
"""

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box, box_of
from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.ground_lines import Side, join_sides
from label_editing.look_up import look_up
from label_editing.scene import LabelMap

_STANDING = -1  # in profiles: anything that is not ground
_ROW_PREFERENCE = 2  # how many columns away counts as one row away, when looking for the nearest pixel
_MARGINS = (1.0, 4.0)  # how far around the hole to look first, over its size

_WIDE = 128  # pixels to look around next, which is little against the whole picture

_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int32]


def has_background(canvas: Canvas) -> bool:
    """Whether anything in the map can be continued into a hole."""
    table = canvas.catalog.fills_holes
    # A few pixels tell for nearly every map.
    return bool(table[canvas.labels[::64, ::64]].any() or look_up(table, canvas.labels).any())


def fill_hole(canvas: Canvas, box: Box, hole: _Bools) -> None:
    """Paint the true pixels of `hole`, a window of `box`, with what is behind; ValueError on a map of objects alone."""
    tight = box_of(hole, box.top, box.left)
    if tight is None:
        return
    hole = hole[tight.within(box).window]
    windows = [_around(canvas, tight, margin) for margin in _MARGINS]
    wide = tight.grown(_WIDE, _WIDE).clipped(canvas.height, canvas.width)
    for window in (*windows, wide, canvas.whole):
        filled = _continued(canvas, window, tight, hole)
        if filled is not None:
            canvas.paint_stuff(tight, canvas.as_labels(filled), hole)
            return
    raise ValueError("a map without ground, structures or sky has nothing to fill a hole with")


def _around(canvas: Canvas, box: Box, margin: float) -> Box:
    rows, columns = int(4 + 0.5 * margin * box.height), int(4 + margin * box.width)
    return box.grown(rows, columns).clipped(canvas.height, canvas.width)


def _continued(canvas: Canvas, window: Box, box: Box, hole: _Bools) -> _Ints | None:
    """Class ids for the box, None when the window holds nothing to continue."""
    catalog = canvas.catalog
    labels = canvas.labels[window.window]
    seeds = look_up(catalog.fills_holes, labels)
    inner = box.within(window)
    np.copyto(seeds[inner.window], np.False_, where=hole)
    if not seeds.any():
        return None
    filled = _ground_plan(catalog, labels, seeds, hole, inner)
    standing = (filled == _STANDING) & hole
    high = box_of(standing, inner.top, inner.left)
    if high is None:
        return filled
    upright = seeds & ~look_up(catalog.of_layer["ground"], labels)
    part = high.within(inner).window
    standing = standing[part]
    behind = _nearest(labels, upright if upright.any() else seeds, high)
    np.copyto(filled[part], behind, where=standing)
    return filled


def _ground_plan(catalog: Catalog, labels: LabelMap, seeds: _Bools, hole: _Bools, inner: Box) -> _Ints:
    """Ground classes, at most one that stands, and STANDING for the inner box."""
    plan = np.where(catalog.of_layer["ground"], np.arange(len(catalog.known)), _STANDING).astype(np.int32)
    sides = Side.both(labels, seeds, hole, inner)
    low = _low_structure(catalog, *sides)
    if low is not None:
        plan[low] = low
    left, right = (side.runs(plan) for side in sides)
    if not left and not right:
        return plan[_nearest(labels, seeds, inner)]
    rows = np.arange(inner.top, inner.bottom, dtype=np.int32)
    columns = np.arange(inner.left, inner.right, dtype=np.int32)
    return join_sides(left, right, rows, columns)


def _low_structure(catalog: Catalog, left: Side, right: Side) -> int | None:
    """The class of a fence or wall that stands before something higher on both sides: it goes on behind the object."""
    one, other = _standing_lower(catalog, left), _standing_lower(catalog, right)
    return max(one.keys() & other.keys(), key=lambda code: (min(one[code], other[code]), code), default=None)


def _standing_lower(catalog: Catalog, side: Side) -> dict[int, int]:
    """How many rows of each structure one side shows under its uppermost class."""
    found: dict[int, int] = {}
    for class_id, length in side.lengths()[1:]:
        if catalog.of_layer["structure"][class_id]:
            found[class_id] = found.get(class_id, 0) + length
    return found


def _nearest(labels: LabelMap, seeds: _Bools, inner: Box) -> LabelMap:
    """The label of the nearest seed for each pixel of the inner box; rows count for more than columns."""
    squeezed, step = np.ascontiguousarray(seeds[:, ::_ROW_PREFERENCE]), _ROW_PREFERENCE
    if not squeezed.any():
        squeezed, step = seeds, 1
    _, nearest = cv2.distanceTransformWithLabels(
        (~squeezed).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(np.count_nonzero(squeezed) + 1, labels.dtype)
    values[nearest[squeezed]] = labels[:, ::step][squeezed]
    first = inner.left // step
    narrow = values[nearest[inner.top : inner.bottom, first : (inner.right - 1) // step + 1]]
    return np.repeat(narrow, step, axis=1)[:, inner.left - step * first :][:, : inner.width]
