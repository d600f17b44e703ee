"""The sky: a gradient, the glow of sun or moon, clouds, a few stars."""

import cv2
import numpy as np

from pipeline.sources.streetscapes.camera import Floats
from pipeline.sources.streetscapes.light import Light
from pipeline.sources.streetscapes.noise import TILE, cloud_tile
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

_ROWS = 128  # the sky is smooth: it is painted small and enlarged
_STARS = 36


def paint_sky(world: World, view: View, light: Light) -> Floats:
    """The sky behind everything, linear, (_ROWS, columns, 3)."""
    columns = view.columns_of(_ROWS)
    u = ((np.arange(columns) + 0.5 - columns / 2) / _ROWS).astype(np.float32)[None, :]
    v = ((np.arange(_ROWS) + 0.5) / _ROWS).astype(np.float32)[:, None]
    rise = np.clip((world.camera.horizon - v) / world.camera.horizon, 0.0, 1.0)
    horizon, zenith = (np.array(c, np.float32) ** 2 for c in (light.horizon, light.zenith))
    sky = np.broadcast_to(horizon + (zenith - horizon) * rise[..., None] ** 0.6, (_ROWS, columns, 3)).astype(np.float32)
    away = np.hypot((u - 0.8 * world.sun_side) * 0.6, v - 0.75 * world.camera.horizon)
    sky += np.exp(-3.5 * away)[..., None] * np.array(light.sky_glow, np.float32)
    cover = _clouds(world, u, rise)[..., None] * light.clouds
    sky += (horizon * 1.05 + np.array(light.sky_glow, np.float32) * 0.3 - sky) * cover
    if light.stars > 0:
        _add_stars(sky, world)
        _add_moon(sky, world, u, v)
    return sky


def _clouds(world: World, u: Floats, rise: Floats) -> Floats:
    """How much of the sky clouds cover: a flat layer overhead, so that far ones crowd at the horizon."""
    far = 1.0 / (rise + 0.15)
    row = ((far * 50).astype(np.int32) + world.grain) & (TILE - 1)
    column = ((u * far * 50).astype(np.int32) + (world.grain >> 9)) & (TILE - 1)
    cover = np.clip(cloud_tile()[row, column] * 0.75 + 0.1, 0.0, 1.0) * np.clip(rise * 4, 0.0, 1.0)
    return cv2.GaussianBlur(cover, (0, 0), 1.5)


def _add_moon(sky: Floats, world: World, u: Floats, v: Floats) -> None:
    if world.grain % 2:
        return
    away = np.hypot(u - 0.45 * world.sun_side, v - 0.3 * world.camera.horizon)
    disc = np.clip((0.019 - away) / 0.008, 0.0, 1.0) + 0.12 * np.exp(-away / 0.03)
    sky += disc[..., None] * np.array((0.62, 0.62, 0.55), np.float32)


def _add_stars(sky: Floats, world: World) -> None:
    rng = np.random.default_rng(world.grain)
    for x, y, light in rng.random((_STARS, 3)).tolist():
        row = int(y * world.camera.horizon * 0.8 * sky.shape[0])
        sky[row, int(x * sky.shape[1])] += 0.08 + 0.2 * light
