"""The sky: a gradient, the glow of sun or moon, clouds, a few stars."""

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.light import Light
from pipeline.sources.streetscapes.noise import TILE, cloud_tile
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

_ROWS = 128  # the sky is smooth: it is painted small and enlarged


def paint_sky(world: World, view: View, light: Light) -> npt.NDArray[np.float32]:
    """The sky behind everything, linear, at the view's fine size."""
    columns = max(8, round(_ROWS * view.width / view.height))
    u = ((np.arange(columns) + 0.5 - columns / 2) / _ROWS).astype(np.float32)
    v = ((np.arange(_ROWS) + 0.5) / _ROWS).astype(np.float32)
    rise = np.clip((world.camera.horizon - v) / world.camera.horizon, 0.0, 1.0)[:, None, None]
    horizon, zenith = (np.array(c, np.float32) ** 2 for c in (light.horizon, light.zenith))
    sky = horizon + (zenith - horizon) * rise**0.6 + np.zeros((_ROWS, columns, 1), np.float32)
    sun_u, sun_v = 0.8 * world.sun_side, world.camera.horizon * 0.75
    away = np.hypot((u[None, :] - sun_u) * 0.6, v[:, None] - sun_v)
    sky += np.exp(-3.5 * away)[:, :, None] * np.array(light.sky_glow, np.float32)
    _add_clouds(sky, world, light, u, rise[:, :, 0], horizon)
    large = cv2.resize(sky, (view.width, view.height), interpolation=cv2.INTER_LINEAR)
    if light.stars > 0:
        _add_stars(large, world, view)
    return large


def _add_clouds(sky: npt.NDArray[np.float32], world: World, light: Light, u: npt.NDArray[np.float32], rise: npt.NDArray[np.float32], horizon: npt.NDArray[np.float32]) -> None:  # fmt: skip
    # A flat layer overhead: far clouds crowd at the horizon.
    far = 1.0 / (rise + 0.12)
    row = ((far * 60).astype(np.int32) + world.grain) & (TILE - 1)
    column = ((u[None, :] * far * 60).astype(np.int32) + (world.grain >> 9)) & (TILE - 1)
    cover = np.clip(cloud_tile()[row, column] * 0.6 - 0.1, 0.0, 1.0) * np.clip(rise * 4, 0.0, 1.0) * light.clouds
    cover = cv2.GaussianBlur(cover, (0, 0), 1.0)[:, :, None]
    bright = horizon * 1.05 + np.array(light.sky_glow, np.float32) * 0.3
    sky += (bright - sky) * cover


def _add_stars(sky: npt.NDArray[np.float32], world: World, view: View) -> None:
    rng = np.random.default_rng(world.grain)
    places = rng.random((40, 3))
    size = max(1, view.height // 256)
    for x, y, light in places.tolist():
        column, row = int(x * view.width), int(y * world.camera.horizon * 0.8 * view.height)
        sky[row : row + size, column : column + size] += 0.12 + 0.2 * light
