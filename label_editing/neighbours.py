"""The objects around a place, as arrays: cheap tests that turn most places down before a cut-out is even scaled."""

import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.perspective import Perspective

_DEPTH_OVER_WIDTH = 1.2  # of the ground an object takes
_MOST_DEPTH_M = 3.0
_LEAST_SHARED_WIDTH = 0.12  # of the narrower of two objects, before they are in each other's way
_FOCAL_OVER_HEIGHT = 2.2  # of the picture; a camera with a field of view of about 50 degrees at 2:1
_SIDE, _LID, _FEET = 0.15, 0.25, 0.1  # the outer parts of a box, where an outline may leave what is behind in sight
_MOST_COVERED = 0.7

_Floats = npt.NDArray[np.float64]


class Neighbours:
    """The instances of a canvas as it was when this was made."""

    def __init__(self, canvas: Canvas, view: Perspective | None) -> None:
        boxes = np.array([i.box for i in canvas.table.values()], np.float64).reshape(-1, 4)
        self._top, self._left, self._bottom, self._right = boxes.T
        self._horizon = None if view is None else view.horizon_row(canvas.height)
        self._scale = 0.0 if view is None else view.scale
        self._focal = _FOCAL_OVER_HEIGHT * canvas.height
        self._back = self._back_rows(self._bottom, self._right - self._left)

    def share_ground(self, box: Box) -> bool:
        """Whether an object in this box would stand where another one stands."""
        shared = np.minimum(box.right, self._right) - np.maximum(box.left, self._left)
        beside = shared > _LEAST_SHARED_WIDTH * np.minimum(box.width, self._right - self._left)
        back = self._back_rows(np.array([box.bottom], np.float64), np.array([box.width], np.float64))[0]
        return bool((beside & (back < self._bottom) & (self._back < box.bottom)).any())

    def mostly_hidden(self, box: Box) -> bool:
        """Whether the inner part of the box, which an outline fills, covers most of the box of an object behind it."""
        side, lid = _SIDE * box.width, _LID * box.height
        across = np.minimum(self._right, box.right - side) - np.maximum(self._left, box.left + side)
        down = np.minimum(self._bottom, box.bottom - _FEET * box.height) - np.maximum(self._top, box.top + lid)
        covered = np.maximum(across, 0.0) * np.maximum(down, 0.0)
        own = (self._right - self._left) * (self._bottom - self._top)
        return bool(((covered > _MOST_COVERED * own) & (self._bottom <= box.bottom)).any())

    def _back_rows(self, foot_rows: _Floats, widths: _Floats) -> _Floats:
        """The row of the ground as far behind each object as it is deep."""
        if self._horizon is None:
            return foot_rows - 1.0
        above = foot_rows - self._horizon
        pixels = np.maximum(self._scale * above, 1e-6)  # a metre
        depths = np.minimum(_DEPTH_OVER_WIDTH * widths / pixels, _MOST_DEPTH_M)
        distances = self._focal / pixels
        backs = self._horizon + above * distances / (distances + depths)
        return np.where(above > 0, backs, foot_rows - 1.0)
