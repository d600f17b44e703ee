"""What stands where the street ends."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.buildings import FACADES
from pipeline.sources.streetscapes.chance import between, happens, pick
from pipeline.sources.streetscapes.shapes import Facing, Item, Polygon, Surface, shade, upright
from pipeline.sources.streetscapes.world import World

_WINDOWS_WITHIN = 70.0  # metres off the street; what is farther out is behind houses and trees


def draw_skyline(world: World, z: float, rng: np.random.Generator) -> None:
    """Houses and trees where the street ends, so that no street runs into nothing."""
    item = Item(z + 30.0)
    x = -190.0
    while x < 190.0:
        width = between(rng, 10.0, 26.0)
        height = between(rng, 6.0, 20.0) * (2.0 if happens(rng, 0.12) else 1.0)
        green = happens(rng, 0.3)
        color = shade((0.25, 0.34, 0.18) if green else pick(rng, FACADES), between(rng, 0.8, 1.0))
        class_id = classes.VEGETATION if green else classes.BUILDING
        surface = Surface(class_id, class_id, color, upright(z), Facing.NEAR, 0.3 if green else 0.1)
        item.add(surface, _skyline_block(x, width, 0.6 * height if green else height, z, green))
        if not green and abs(x + 0.5 * width) < _WINDOWS_WITHIN:
            item.add(
                Surface(class_id, class_id, shade(color, 0.55), upright(z), Facing.NEAR),
                *_far_windows(x, width, height, z),
            )
        x += width
    world.behind.append(item)


def _skyline_block(x: float, width: float, height: float, z: float, green: bool) -> Polygon:
    if green:
        tops = [
            (x + width * t, height * s, z) for t, s in ((0.0, 0.7), (0.2, 1.0), (0.45, 0.85), (0.7, 1.05), (1.0, 0.75))
        ]
        return [(x, -1.0, z), *tops, (x + width, -1.0, z)]
    return [(x, -1.0, z), (x, height, z), (x + width, height, z), (x + width, -1.0, z)]


def _far_windows(x: float, width: float, height: float, z: float) -> list[Polygon]:
    return [
        [(x + c, y, z), (x + c + 1.8, y, z), (x + c + 1.8, y + 1.6, z), (x + c, y + 1.6, z)]
        for y in np.arange(3.0, height - 2.0, 4.0).tolist()
        for c in np.arange(1.2, width - 2.0, 4.2).tolist()
    ]
