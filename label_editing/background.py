"""What is behind an object: the hole it leaves is filled by continuing the background around it.

Only ground, structures and sky are continued; thin ones (poles) would smear. Rows count for more than columns, since
kerbs and the feet of walls run sideways through a street view.
"""

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box, box_of
from label_editing.canvas import Canvas
from label_editing.changes import UNCHANGED, Codes

_ROW_PREFERENCE = 3  # how many columns away counts as one row away


def fill_hole(canvas: Canvas, box: Box, hole: npt.NDArray[np.bool_]) -> bool:
    """Paint the true pixels of `hole`, a window of `box`, with the background around; False when there is none."""
    tight = box_of(hole, box.top, box.left)
    if tight is None:
        return True
    hole = hole[tight.within(box).window]
    for margin in (1.0, 4.0, float("inf")):
        window = _window(canvas, tight, margin)
        filled = _continued(canvas, window, tight, hole)
        if filled is not None:
            canvas.paint(tight, np.where(hole, filled, UNCHANGED).astype(np.int32))
            return True
    return False


def _window(canvas: Canvas, box: Box, margin: float) -> Box:
    if margin == float("inf"):
        return canvas.whole
    rows, columns = int(4 + margin * 0.25 * box.height), int(4 + margin * 0.5 * box.width)
    return box.grown(rows, columns).clipped(canvas.height, canvas.width)


def _continued(canvas: Canvas, window: Box, box: Box, hole: npt.NDArray[np.bool_]) -> Codes | None:
    labels = canvas.labels[window.window]
    seeds = canvas.catalog.fills_holes[labels].view(np.uint8)
    inner = box.within(window)
    seeds[inner.window][hole] = 0
    if not seeds.any():
        return None
    step = max(1, min(_ROW_PREFERENCE, window.width // 8))
    squeezed = np.ascontiguousarray(seeds[:, ::step])
    if not squeezed.any():
        step, squeezed = 1, seeds
    _, nearest = cv2.distanceTransformWithLabels(
        1 - squeezed, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(nearest.max()) + 1, np.int32)
    on_seed = squeezed > 0
    values[nearest[on_seed]] = labels[:, ::step][on_seed]
    found = values[nearest]
    return np.repeat(found, step, axis=1)[:, : window.width][inner.window]


def has_background(canvas: Canvas) -> bool:
    """Whether anything in the map can be continued into a hole."""
    table = canvas.catalog.fills_holes
    return bool(table[canvas.labels[::8, ::8]].any() or table[canvas.labels].any())
