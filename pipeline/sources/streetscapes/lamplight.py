"""Light that street lamps and the camera car's own headlights throw on what they reach."""

import numpy as np

from pipeline.sources.streetscapes.camera import Floats
from pipeline.sources.streetscapes.shapes import Color
from pipeline.sources.streetscapes.world import World

SODIUM: Color = (1.0, 0.62, 0.27)
XENON: Color = (0.95, 0.95, 1.0)


def street_lamps(world: World, x: Floats, y: Floats, z: Floats) -> Floats:
    """The strength of street light at points. Lamps of a row repeat, so one wrapped distance stands for all."""
    light = np.zeros_like(x)
    for lamps in world.lamps:
        along = (z - lamps.first) / lamps.spacing
        dz = (along - np.rint(along)) * lamps.spacing
        square = (x - lamps.x) ** 2 + (y - lamps.height + 0.3) ** 2 + dz * dz + 1.5
        light += 140.0 / (square * np.sqrt(square))
    return np.minimum(light, 2.0)


def own_headlights(x: Floats, y: Floats, z: Floats) -> Floats:
    """The strength of the own low beam at points: a cone ahead that stays below the eyes of others."""
    return 9.0 * np.exp(-((x / (1.6 + 0.16 * z)) ** 2) - np.maximum(y, 0.0) * 0.8) / (14.0 + 0.1 * z * z)
