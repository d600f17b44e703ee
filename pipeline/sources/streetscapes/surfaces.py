"""The surfaces of a world as tables that are looked up by part index; index 0 is the sky."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.light import light_of, sky_share, sun_share
from pipeline.sources.streetscapes.shapes import Facing, Glow, Part
from pipeline.sources.streetscapes.world import World

Table = npt.NDArray[np.float32]

# Lit windows are many and dim: they must not drown the street in bloom.
_BLOOM = {
    Glow.WINDOW: 0.25,
    Glow.SHOP: 0.35,
    Glow.HEADLIGHT: 1.0,
    Glow.TAILLIGHT: 1.0,
    Glow.LAMP: 1.0,
    Glow.SIGNAL: 0.8,
    Glow.REFLECTOR: 0.0,
}


@dataclass(frozen=True)
class SurfaceTable:
    """One column a part; colours and planes have a row a channel or coefficient."""

    class_ids: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    planes: Table  # inverse depth = a*u + b*v + c
    is_ground: npt.NDArray[np.bool_]
    relief: Table
    diffuse: Table  # albedo, for lamps
    skylit: Table  # albedo times what the sky gives
    sunlit: Table  # albedo times what the sun adds
    shining: Table  # own light
    bloom: Table  # the part of it that spills over


def tabulate(world: World, parts: list[Part]) -> SurfaceTable:
    """The tables of these parts under the world's light."""
    light = light_of(world.time_of_day, world.weather)
    surfaces = [part.surface for part in parts]
    facing = np.array([Facing.UP, *(s.facing for s in surfaces)])
    # Gamma 2 keeps light additive at the price of a square and a root.
    albedo = np.array([(0.0, 0.0, 0.0), *(s.color for s in surfaces)], np.float32) ** 2
    glows = [Glow.NONE, *(s.glow for s in surfaces)]
    strength = np.array([light.glow.get(glow, 0.0) for glow in glows], np.float32)
    spill = np.array([_BLOOM.get(glow, 0.0) for glow in glows], np.float32)
    shining = _glow_color(albedo, glows) * strength[:, None]
    return SurfaceTable(
        class_ids=np.array([classes.SKY, *(s.class_id for s in surfaces)], np.uint8),
        instances=np.array([classes.SKY, *(s.instance for s in surfaces)], np.int32),
        planes=_rows(_planes(world, parts)),
        is_ground=np.array([False, *(s.stand is None for s in surfaces)]),
        relief=np.array([0.0, *(s.relief for s in surfaces)], np.float32),
        diffuse=_rows(albedo),
        skylit=_rows(albedo * sky_share()[facing][:, None] * np.array(light.ambient, np.float32)),
        sunlit=_rows(albedo * sun_share(world.sun_side)[facing][:, None] * np.array(light.sun, np.float32)),
        shining=_rows(shining),
        bloom=_rows(shining * spill[:, None]),
    )


def _rows(table: Table) -> Table:
    return np.ascontiguousarray(table.T, np.float32)


def _glow_color(albedo: Table, glows: list[Glow]) -> Table:
    """By day a lit window is dark glass; the colour of its lamp is the hue of that glass, made bright."""
    is_window = np.array([glow == Glow.WINDOW for glow in glows])
    peak = np.maximum(albedo.max(axis=1, keepdims=True), 1e-4)
    warm = albedo / peak * np.array([1.0, 0.66, 0.32], np.float32)
    return np.where(is_window[:, None], warm, albedo).astype(np.float32)


def _planes(world: World, parts: list[Part]) -> Table:
    planes = np.empty((len(parts) + 1, 3), np.float32)
    planes[0] = (0.0, 0.0, 1e-4)
    stands = [part.surface.stand or (-1.0, 9.0, 1.0, 9.0) for part in parts]
    planes[1:] = world.camera.upright_planes(np.array(stands, np.float64))
    planes[1:][[part.surface.stand is None for part in parts]] = world.camera.ground_plane()
    return planes
