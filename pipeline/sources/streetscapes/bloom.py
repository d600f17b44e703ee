"""Light that spills over the edges of lamps in the lens, and its reflections on the road."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.camera import Floats
from pipeline.sources.streetscapes.surfaces import SurfaceTable
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

_ROWS = 128  # glows are soft: they are spread small and enlarged
_FALL = 9  # rows from a lamp to the middle of its reflection


class Spill(NamedTuple):
    """Halo around the lights, and streaks below them on the ground, (_ROWS, columns, 3)."""

    halo: Floats
    streaks: Floats


def spilled_light(world: World, view: View, table: SurfaceTable, seen: npt.NDArray[np.uint16]) -> Spill:
    """What the visible lights spill."""
    step = max(1, view.height // (2 * _ROWS))
    sparse = seen[::step, ::step]
    lights = cv2.merge([np.take(channel, sparse) for channel in table.bloom])
    small = cv2.resize(lights, (view.columns_of(_ROWS), _ROWS), interpolation=cv2.INTER_AREA)
    fog = 2.2 if world.weather == "fog" else 1.0
    halo = 0.9 * _spread(small, 1.2) + 1.1 * fog * _spread(small, 4.0) + 1.6 * fog * _spread(small, 11.0)
    streaks = 1.6 * np.roll(cv2.GaussianBlur(small, (0, 0), sigmaX=1.0, sigmaY=float(_FALL)), _FALL, axis=0)
    streaks[:_FALL] = 0.0
    return Spill(halo, streaks)


def _spread(lights: Floats, sigma: float) -> Floats:
    if sigma < 3.0:
        return cv2.GaussianBlur(lights, (0, 0), sigma)
    half = cv2.resize(lights, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(half, (0, 0), sigma / 2)
    return cv2.resize(wide, (lights.shape[1], lights.shape[0]), interpolation=cv2.INTER_LINEAR)
