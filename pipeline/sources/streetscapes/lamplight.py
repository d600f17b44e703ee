"""Light that street lamps and the camera car's own headlights throw on what they reach."""

import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.world import World

Floats = npt.NDArray[np.float32]

_SODIUM = np.array([1.0, 0.62, 0.27], np.float32)
_XENON = np.array([0.95, 0.95, 1.0], np.float32)


def lamp_light(world: World, x: Floats, y: Floats, z: Floats) -> Floats:
    """The light at points of the street, (..., 3). Lamps of a row repeat, so one wrapped distance stands for all."""
    warm = np.zeros_like(x)
    for lamps in world.lamps:
        along = (z - lamps.first) / lamps.spacing
        dz = (along - np.rint(along)) * lamps.spacing
        square = (x - lamps.x) ** 2 + (y - lamps.height + 0.3) ** 2 + dz * dz + 1.5
        warm += 90.0 / (square * np.sqrt(square))
    np.minimum(warm, 1.6, out=warm)
    beam = 9.0 * np.exp(-((x / (1.6 + 0.16 * z)) ** 2) - np.maximum(y, 0.0) * 0.8) / (14.0 + 0.1 * z * z)
    return warm[..., None] * _SODIUM + beam[..., None] * _XENON
