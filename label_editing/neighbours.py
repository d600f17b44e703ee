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
        self._width = self._right - self._left
        self._area = self._width * (self._bottom - self._top)
        self._back = np.array([self._back_row(i.box.bottom, i.box.width) for i in canvas.table.values()])

    def share_ground(self, box: Box) -> bool:
        """Whether an object in this box would stand where another one stands."""
        back = self._back_row(box.bottom, box.width)
        near = ((self._bottom > back) & (self._back < box.bottom)).nonzero()[0]
        if near.size == 0:
            return False
        shared = np.minimum(box.right, self._right[near]) - np.maximum(box.left, self._left[near])
        return bool((shared > _LEAST_SHARED_WIDTH * np.minimum(box.width, self._width[near])).any())

    def mostly_hidden(self, box: Box) -> bool:
        """Whether the inner part of the box, which an outline fills, covers most of the box of an object behind it."""
        behind = (self._bottom <= box.bottom).nonzero()[0]
        if behind.size == 0:
            return False
        side, lid = _SIDE * box.width, _LID * box.height
        across = np.minimum(self._right[behind], box.right - side) - np.maximum(self._left[behind], box.left + side)
        bottom, top = box.bottom - _FEET * box.height, box.top + lid
        down = np.minimum(self._bottom[behind], bottom) - np.maximum(self._top[behind], top)
        covered = np.maximum(across, 0.0) * np.maximum(down, 0.0)
        return bool((covered > _MOST_COVERED * self._area[behind]).any())

    def _back_row(self, foot_row: int, width: int) -> float:
        """The row of the ground as far behind an object as it is deep."""
        above = 0.0 if self._horizon is None else foot_row - self._horizon
        if self._horizon is None or above <= 0:
            return foot_row - 1.0
        pixels = max(self._scale * above, 1e-6)  # a metre
        depth = min(_DEPTH_OVER_WIDTH * width / pixels, _MOST_DEPTH_M)
        distance = self._focal / pixels
        return self._horizon + above * distance / (distance + depth)
