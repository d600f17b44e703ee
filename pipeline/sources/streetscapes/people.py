"""People on foot, and what people wear."""

from collections.abc import Callable

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import between, happens, pick
from pipeline.sources.streetscapes.shapes import (
    Color,
    Facing,
    Glow,
    Item,
    Polygon,
    Shadow,
    Surface,
    bar,
    ellipse,
    rectangle,
    shade,
    upright,
)  # fmt: skip
from pipeline.sources.streetscapes.world import World

CLOTHES: tuple[Color, ...] = (
    (0.62, 0.14, 0.14), (0.16, 0.26, 0.5), (0.2, 0.2, 0.22), (0.78, 0.74, 0.66), (0.18, 0.38, 0.3),
    (0.8, 0.56, 0.16), (0.44, 0.2, 0.38), (0.5, 0.5, 0.52), (0.84, 0.84, 0.84),
)  # fmt: skip
TROUSERS: tuple[Color, ...] = ((0.14, 0.17, 0.27), (0.12, 0.12, 0.13), (0.3, 0.26, 0.22), (0.36, 0.37, 0.4))
SKIN: tuple[Color, ...] = ((0.86, 0.68, 0.56), (0.72, 0.52, 0.40), (0.50, 0.35, 0.26), (0.92, 0.76, 0.66))
HAIR: tuple[Color, ...] = ((0.12, 0.09, 0.08), (0.3, 0.2, 0.13), (0.55, 0.42, 0.25), (0.5, 0.5, 0.5))


def worn(class_id: int, instance: int, color: Color, z: float, glow: Glow = Glow.NONE) -> Surface:
    return Surface(class_id, instance, color, upright(z), Facing.ROUND, 0.06, glow)


def walk(world: World, x: float, z: float, base: float, rng: np.random.Generator) -> None:
    """A person on foot at (x, z), on ground of this height."""
    instance = world.new_instance(classes.PERSON)
    height = between(rng, 1.55, 1.9) if happens(rng, 0.9) else between(rng, 1.05, 1.35)
    stride = between(rng, 0.0, 0.32) * pick(rng, (-1.0, 1.0))
    item = Item(z)
    scale = height / 1.75

    def part(color: Color, *polygons: Polygon) -> None:
        scaled = [[(x + px * scale, base + py * scale, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(worn(classes.PERSON, instance, color, z), *scaled)

    trousers, coat = pick(rng, TROUSERS), shade(pick(rng, CLOTHES), between(rng, 0.85, 1.15))
    part(trousers, bar(-0.08, 0.88, -0.1 - stride, 0.04, 0.17, z))
    part(shade(trousers, 1.15), bar(0.08, 0.88, 0.1 + stride, 0.04, 0.17, z))
    part((0.08, 0.08, 0.08), rectangle(-0.19 - stride, 0.0 - stride, 0.0, 0.08, z))
    part((0.08, 0.08, 0.08), rectangle(0.0 + stride, 0.19 + stride, 0.0, 0.08, z))
    _draw_trunk(part, coat, stride, z)
    draw_head(part, 0.0, 1.59, pick(rng, SKIN), pick(rng, HAIR), z)
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.28, x + 0.28, z - 0.2, z + 0.25, height, base))


def _draw_trunk(part: Callable[..., None], coat: Color, stride: float, z: float) -> None:
    hem = _hem(stride)
    part(coat, [(-0.2, hem, z), (0.2, hem, z), (0.25, 1.38, z), (0.12, 1.47, z), (-0.12, 1.47, z), (-0.25, 1.38, z)])
    part(shade(coat, 0.78), bar(-0.25, 1.38, -0.3 + stride * 0.8, 0.86, 0.12, z))
    part(shade(coat, 0.86), bar(0.25, 1.38, 0.3 - stride * 0.8, 0.86, 0.12, z))


def _hem(stride: float) -> float:
    """Long coats go with short steps."""
    return 0.62 if abs(stride) < 0.08 else 0.82


def draw_head(part: Callable[..., None], x: float, y: float, skin: Color, hair: Color, z: float) -> None:
    part(hair, ellipse(x, y + 0.03, z, 0.125, 0.15))
    part(skin, ellipse(x, y - 0.03, z, 0.095, 0.11))
