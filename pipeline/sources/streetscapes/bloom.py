"""Light that spills over the edges of lamps in the lens, and its reflections on the road."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.surfaces import SurfaceTable
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

Floats = npt.NDArray[np.float32]

_ROWS = 128  # glows are soft: they are spread small and enlarged


class Spill(NamedTuple):
    """Halo around the lights, and streaks below them on the ground."""

    halo: Floats
    streaks: Floats


def spilled_light(world: World, view: View, table: SurfaceTable, seen: npt.NDArray[np.uint16]) -> Spill:
    """What the visible lights spill, (_ROWS, columns, 3)."""
    columns = round(_ROWS * view.width / view.height)
    lights = table.bloom[seen[:: max(1, view.height // 512), :: max(1, view.height // 512)]]
    small = cv2.resize(lights, (columns, _ROWS), interpolation=cv2.INTER_AREA)
    fog = 2.2 if world.weather == "fog" else 1.0
    halo = 0.9 * cv2.GaussianBlur(small, (0, 0), 1.2) + 1.1 * fog * cv2.GaussianBlur(small, (0, 0), 4.0)
    halo += 1.6 * fog * cv2.GaussianBlur(small, (0, 0), 11.0)
    below = cv2.GaussianBlur(small, (0, 0), sigmaX=1.0, sigmaY=9.0)
    streaks = 1.6 * np.roll(below, 9, axis=0)
    streaks[:9] = 0.0
    return Spill(halo, streaks)


def add_bloom(linear: Floats, spill: Spill, view: View, band: slice, ground: npt.NDArray[np.bool_]) -> None:
    """Add the spilled light to a band of rows, in place."""
    linear += _enlarged(spill.halo, view, band)
    linear += _enlarged(spill.streaks, view, band) * ground[..., None]


def _enlarged(small: Floats, view: View, band: slice) -> Floats:
    """The rows of `small`, enlarged to the view, that a band covers."""
    scale = small.shape[0] / view.height
    x = ((np.arange(view.width) + 0.5) * scale - 0.5).astype(np.float32)
    y = ((np.arange(band.start, band.stop) + 0.5) * scale - 0.5).astype(np.float32)
    grid_x, grid_y = np.meshgrid(x, y)
    return cv2.remap(small, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
