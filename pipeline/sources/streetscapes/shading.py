"""Light on what is seen: sky, sun, lamps and own lights on every pixel, then haze, bloom and the sensor.

Colours are kept as three planes: looking one number up per pixel is several times as fast as looking up three.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.base import Image
from pipeline.sources.streetscapes.bloom import Spill, spilled_light
from pipeline.sources.streetscapes.camera import Floats
from pipeline.sources.streetscapes.lamplight import SODIUM, XENON, own_headlights, street_lamps
from pipeline.sources.streetscapes.light import Light, light_of
from pipeline.sources.streetscapes.noise import TILE, grain_tile, texture_tile
from pipeline.sources.streetscapes.shadows import paint_shadows
from pipeline.sources.streetscapes.sky import paint_sky
from pipeline.sources.streetscapes.surfaces import SurfaceTable
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

Seen = npt.NDArray[np.uint16]

_BAND_PX = 1 << 15  # rows are shaded in bands that stay in the cache and keep large pictures out of memory
_TEXELS_PER_METRE = 24.0
_SMALL = 512  # fine rows


@dataclass(frozen=True)
class _Lit:
    """What is common to all bands of a picture."""

    world: World
    view: View
    table: SurfaceTable
    light: Light
    sky: Floats
    shadows: Floats
    spill: Spill | None


@dataclass(frozen=True)
class _Where:
    """Where on the street the pixels of a band lie; x is measured from the bent line of the street."""

    x: Floats
    y: Floats
    z: Floats
    ground: npt.NDArray[np.bool_]


def shade_view(world: World, view: View, table: SurfaceTable, seen: Seen) -> Image:
    """The picture of what is seen."""
    light = light_of(world.time_of_day, world.weather)
    spill = spilled_light(world, view, table, seen) if light.lamps > 0 else None
    lit = _Lit(world, view, table, light, paint_sky(world, view, light), paint_shadows(world, view), spill)
    rows = max(view.fine, _BAND_PX // view.width // view.fine * view.fine)
    bands = (slice(top, min(top + rows, view.height)) for top in range(0, view.height, rows))
    return np.concatenate([_expose(_shade_band(lit, seen[band], band), lit, band) for band in bands])


def _shade_band(lit: _Lit, seen: Seen, band: slice) -> Floats:
    table, light = lit.table, lit.light
    index = seen.astype(np.intp)
    where = _locate(lit, index, band)
    shadow = np.where(where.ground, lit.view.enlarge(lit.shadows, band), np.float32(1.0))
    fall = _falling_light(lit, where, shadow)
    grain = _texture(lit, np.take(table.relief, index), where)
    clear = np.exp(-light.haze * where.z)
    color = np.empty((3, *seen.shape), np.float32)
    for channel in range(3):
        tone = np.take(table.skylit[channel], index) * shadow
        for source, strength in fall:
            tone += np.take(source[channel], index) * strength[channel]
        tone = tone * grain + np.take(table.shining[channel], index)
        color[channel] = light.haze_color[channel] * (1.0 - clear) + tone * clear
    _add_sky(color, lit, seen == 0, band)
    if lit.spill is not None:
        _add_spill(color, lit.spill, lit.view, band, where.ground)
    return color


def _locate(lit: _Lit, index: npt.NDArray[np.intp], band: slice) -> _Where:
    camera = lit.world.camera
    u, v = lit.view.u()[None, :], lit.view.v(band)[:, None]
    a, b, c = (np.take(plane, index) for plane in lit.table.planes)
    z = 1.0 / np.clip(a * u + b * v + c, 1.0 / 400.0, 1.0)
    per_focal = z * np.float32(1.0 / camera.focal)
    x = (u - np.float32(camera.shift)) * per_focal - np.float32(camera.bend) * z * z
    y = np.float32(camera.height) - (v - np.float32(camera.horizon)) * per_focal
    return _Where(x, y, z, np.take(lit.table.is_ground, index))


def _falling_light(lit: _Lit, where: _Where, shadow: Floats) -> list[tuple[Floats, list[Floats]]]:
    """What falls on the pixels beside the sky's light: for each, the table it colours, and its strength a channel."""
    fall: list[tuple[Floats, list[Floats]]] = []
    if max(lit.light.sun) > 0:
        sun = shadow * _sun_reaches(lit.world, where)
        fall.append((lit.table.sunlit, [sun, sun, sun]))
    if lit.light.lamps > 0:
        warm = street_lamps(lit.world, where.x, where.y, where.z) * (lit.light.lamps * shadow)
        own = own_headlights(where.x, where.y, where.z) * lit.light.lamps
        fall.append((lit.table.diffuse, [warm * s + own * x for s, x in zip(SODIUM, XENON, strict=True)]))
    return fall


def _sun_reaches(world: World, where: _Where) -> Floats:
    """1 in the sun, 0 in the shade that the houses on the sun's side throw over the street."""
    if abs(world.sun_side) < 0.25:
        return np.ones_like(where.x)
    sign = 1.0 if world.sun_side > 0 else -1.0
    edge = 5.0 - 6.0 * abs(world.sun_side)
    return np.clip((edge - sign * where.x + 0.9 * where.y) * 1.2 + 0.5, 0.0, 1.0)


def _texture(lit: _Lit, relief: Floats, where: _Where) -> Floats:
    """Brightness around 1 that clings to the surface: (x, z) on the ground, (x + z, y) on what stands."""
    grain = lit.world.grain
    across = np.where(where.ground, where.x, where.x + where.z) * _TEXELS_PER_METRE + (grain & 1023)
    up = np.where(where.ground, where.z, where.y) * _TEXELS_PER_METRE + (grain >> 20)
    # Only large pictures have pixels smaller than texels.
    noise = _between_texels(across, up) if lit.view.height > _SMALL else _texel(across, up)
    # Far texture is finer than a pixel and averages out.
    return np.maximum(1.0 + relief * np.minimum(1.0, 14.0 / where.z) * noise, 0.1)


def _texel(across: Floats, up: Floats) -> Floats:
    """The nearest texel."""
    column, row = across.astype(np.int32) & (TILE - 1), up.astype(np.int32) & (TILE - 1)
    return np.take(texture_tile().ravel(), row * TILE + column)


def _between_texels(across: Floats, up: Floats) -> Floats:
    """The tile between its texels. cv2.remap can wrap around too, at three times the cost."""
    left, below = np.floor(across), np.floor(up)
    share_x, share_y = across - left, up - below
    low = _texel(left, below) * (1.0 - share_x) + _texel(left + 1.0, below) * share_x
    high = _texel(left, below + 1.0) * (1.0 - share_x) + _texel(left + 1.0, below + 1.0) * share_x
    return low * (1.0 - share_y) + high * share_y


def _add_sky(color: Floats, lit: _Lit, is_sky: npt.NDArray[np.bool_], band: slice) -> None:
    if is_sky.any():
        for plane, sky in zip(color, cv2.split(lit.view.enlarge(lit.sky, band)), strict=True):
            np.copyto(plane, sky, where=is_sky)


def _add_spill(color: Floats, spill: Spill, view: View, band: slice, ground: npt.NDArray[np.bool_]) -> None:
    for plane, halo in zip(color, cv2.split(view.enlarge(spill.halo, band)), strict=True):
        plane += halo
    if ground.any():
        for plane, streak in zip(color, cv2.split(view.enlarge(spill.streaks, band)), strict=True):
            plane += streak * ground


def _expose(color: Floats, lit: _Lit, band: slice) -> Image:
    """Average the fine pixels, compress the highlights, add the sensor's noise."""
    view, seed = lit.view, lit.world.grain
    width, rows = view.resolution.width, np.arange(band.start // view.fine, band.stop // view.fine)
    linear = cv2.merge(list(color))
    if view.fine > 1:
        linear = cv2.resize(linear, (width, len(rows)), interpolation=cv2.INTER_AREA)
    # Linear up to 0.6, then an even shoulder towards 1.
    over = np.maximum(linear - 0.6, 0.0)
    tone = np.sqrt(np.minimum(linear, 0.6) + 0.4 * over / (over + 0.4))
    columns = (np.arange(width) + (seed & 511)) & (TILE - 1)
    noise = grain_tile()[(rows + (seed >> 12)) & (TILE - 1)][:, columns]
    tone += (lit.light.grain * noise)[..., None]
    return (np.clip(tone, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
