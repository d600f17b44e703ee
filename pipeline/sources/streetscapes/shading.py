"""Light on what is seen: sky, sun, lamps and own lights on every pixel, then haze, bloom and the sensor."""

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.base import Image
from pipeline.sources.streetscapes.bloom import add_bloom, spilled_light
from pipeline.sources.streetscapes.lamplight import lamp_light
from pipeline.sources.streetscapes.light import Light, light_of
from pipeline.sources.streetscapes.noise import TILE, grain_tile, texture_tile
from pipeline.sources.streetscapes.shadows import paint_shadows
from pipeline.sources.streetscapes.sky import paint_sky
from pipeline.sources.streetscapes.surfaces import SurfaceTable
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

Floats = npt.NDArray[np.float32]
Seen = npt.NDArray[np.uint16]

_BAND_PX = 1 << 17  # rows are shaded in bands that stay in the cache and keep large pictures out of memory
_TEXELS_PER_METRE = 24.0


def shade_view(world: World, view: View, table: SurfaceTable, seen: Seen) -> Image:
    """The picture of what is seen."""
    light = light_of(world.time_of_day, world.weather)
    sky = paint_sky(world, view, light)
    dark = paint_shadows(world, view)
    spill = spilled_light(world, view, table, seen) if light.lamps > 0 else None
    rows = max(view.fine, _BAND_PX // view.width // view.fine * view.fine)
    size = view.resolution
    image = np.empty((size.height, size.width, 3), np.uint8)
    for top in range(0, view.height, rows):
        band = slice(top, min(top + rows, view.height))
        linear = _shade_band(world, view, table, light, seen[band], band, sky[band], dark[band])
        if spill is not None:
            add_bloom(linear, spill, view, band, table.is_ground[seen[band]])
        coarse = slice(band.start // view.fine, band.stop // view.fine)
        image[coarse] = _expose(linear, view, light, world.grain, coarse)
    return image


def _shade_band(world: World, view: View, table: SurfaceTable, light: Light, seen: Seen, band: slice, sky: Floats, dark: Floats) -> Floats:  # fmt: skip
    u, v = view.u()[None, :], view.v()[band][:, None]
    plane = table.planes[seen]
    nearness = np.clip(plane[..., 0] * u + plane[..., 1] * v + plane[..., 2], 1.0 / 400.0, 1.0)
    z = 1.0 / nearness
    x = (u - world.camera.shift) * (z / world.camera.focal)
    y = world.camera.height - (v - world.camera.horizon) * (z / world.camera.focal)
    ground = table.is_ground[seen]
    along = x - world.camera.bend * z * z
    color = table.skylit[seen]
    shadow = np.where(ground, dark, 1.0)
    color *= shadow[..., None]
    if max(light.sun) > 0:
        color += table.sunlit[seen] * (shadow * _sun_reaches(world, along, y))[..., None]
    if light.lamps > 0:
        color += table.diffuse[seen] * (lamp_light(world, along, y, z) * (light.lamps * shadow)[..., None])
    color *= _texture(world, table.relief[seen], along, y, z, ground)[..., None]
    color += table.shining[seen]
    clear = np.exp(-light.haze * z)[..., None]
    color *= clear
    color += np.array(light.haze_color, np.float32) * (1.0 - clear)
    return np.where((seen == 0)[..., None], sky, color)


def _sun_reaches(world: World, x: Floats, y: Floats) -> Floats:
    """1 in the sun, 0 in the shade that the houses on the sun's side throw over the street."""
    if abs(world.sun_side) < 0.25:
        return np.ones_like(x)
    sign = 1.0 if world.sun_side > 0 else -1.0
    edge = 1.5 - 3.0 * abs(world.sun_side)
    return np.clip((edge - sign * x + 0.9 * y) * 1.2 + 0.5, 0.0, 1.0)


def _texture(world: World, relief: Floats, x: Floats, y: Floats, z: Floats, ground: npt.NDArray[np.bool_]) -> Floats:
    """Brightness around 1 that clings to the surface: (x, z) on the ground, (x + z, y) on what stands."""
    across = np.where(ground, x, x + z) * _TEXELS_PER_METRE
    up = np.where(ground, z, y) * _TEXELS_PER_METRE
    column = (across.astype(np.int32) + world.grain) & (TILE - 1)
    row = (up.astype(np.int32) + (world.grain >> 9)) & (TILE - 1)
    # Far texture is finer than a pixel and averages out.
    fade = np.minimum(1.0, 14.0 / z)
    return np.maximum(1.0 + relief * fade * texture_tile()[row, column], 0.1)


def _expose(linear: Floats, view: View, light: Light, seed: int, rows: slice) -> Image:
    """Average the fine pixels, compress the highlights, add the sensor's noise."""
    width = view.resolution.width
    if view.fine > 1:
        linear = cv2.resize(linear, (width, rows.stop - rows.start), interpolation=cv2.INTER_AREA)
    # Linear up to 0.6, then an even shoulder towards 1.
    over = np.maximum(linear - 0.6, 0.0)
    tone = np.sqrt(np.minimum(linear, 0.6) + 0.4 * over / (over + 0.4))
    columns = (np.arange(width) + (seed & 511)) & (TILE - 1)
    noise = grain_tile()[(np.arange(rows.start, rows.stop) + (seed >> 12)) & (TILE - 1)][:, columns]
    tone += (light.grain * noise)[..., None]
    return (np.clip(tone, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
