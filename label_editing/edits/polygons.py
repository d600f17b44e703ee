"""Polygons in a map, as users give them: [[x, y], ...] in pixels."""

from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.boxes import Box
from label_editing.canvas import Canvas

Polygon = Annotated[tuple[tuple[int, int], ...], Field(min_length=3)]


def polygon_mask(canvas: Canvas, polygon: Polygon) -> tuple[Box, npt.NDArray[np.bool_]]:
    """The box around a polygon and the pixels in it, corners included; ValueError where a corner is outside the map."""
    for x, y in polygon:
        if not (0 <= x < canvas.width and 0 <= y < canvas.height):
            raise ValueError(f"polygon corner [{x}, {y}] lies outside a map of {canvas.width}x{canvas.height}")
    corners = np.array(polygon, np.int32)
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [corners - np.array([left, top], np.int32)], 1)
    return Box(top, left, bottom + 1, right + 1), mask.view(np.bool_)
