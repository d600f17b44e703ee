"""Shadows on the ground: soft ones under what stands there, long ones where the sun is out."""

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.light import light_of
from pipeline.sources.streetscapes.shapes import Polygon, Shadow
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

_ROWS = 256  # soft edges need no more


def paint_shadows(world: World, view: View) -> npt.NDArray[np.float32]:
    """How much light is left on the ground, 0..1, (_ROWS, columns)."""
    columns = view.columns_of(_ROWS)
    dark = np.zeros((_ROWS, columns), np.uint8)
    if max(light_of(world.time_of_day, world.weather).sun) > 0.1:
        _fill(dark, world, [_cast(shadow, world.sun_side) for shadow in world.shadows], 120)
    soft = cv2.GaussianBlur(dark, (0, 0), 0.8)
    under = np.zeros_like(dark)
    _fill(under, world, [_footprint(shadow) for shadow in world.shadows], 190)
    both = cv2.max(soft, cv2.GaussianBlur(under, (0, 0), 1.6))
    return (255 - both).astype(np.float32) / 255.0


def _footprint(shadow: Shadow) -> Polygon:
    x0, x1, z0, z1 = shadow.left - 0.12, shadow.right + 0.12, shadow.near - 0.25, shadow.far + 0.1
    return _flat(shadow.base, [(x0, z0), (x1, z0), (x1, z1), (x0, z1)])


def _cast(shadow: Shadow, sun_side: float) -> Polygon:
    """The footprint stretched away from the sun, towards the camera."""
    reach, ahead = -sun_side * shadow.height * 0.8, 0.3 * shadow.height
    x0, x1, z0, z1 = shadow.left, shadow.right, shadow.near, shadow.far
    tip_near, tip_far = max(1.2, z0 - ahead), max(1.2, z1 - ahead)
    if reach > 0:
        outline = [(x0, z0), (x0 + reach, tip_near), (x1 + reach, tip_near), (x1 + reach, tip_far), (x1, z1), (x0, z1)]
    else:
        outline = [(x1, z0), (x1 + reach, tip_near), (x0 + reach, tip_near), (x0 + reach, tip_far), (x0, z1), (x1, z1)]
    return _flat(shadow.base, outline)


def _flat(y: float, outline: list[tuple[float, float]]) -> Polygon:
    return [(x, y, z) for x, z in outline]


def _fill(canvas: npt.NDArray[np.uint8], world: World, outlines: list[Polygon], value: int) -> None:
    if not outlines:
        return
    points = np.array([point for outline in outlines for point in outline])
    views = world.camera.project(points)
    pixels = np.stack((views[:, 0] * _ROWS + canvas.shape[1] / 2 - 0.5, views[:, 1] * _ROWS - 0.5), axis=1)
    fixed = np.rint(np.clip(pixels, -20000, 20000) * 16).astype(np.int32)
    start = 0
    for outline in outlines:
        cv2.fillPoly(canvas, [fixed[start : start + len(outline)]], value, cv2.LINE_8, 4)
        start += len(outline)
