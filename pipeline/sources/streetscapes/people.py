"""People on foot, and riders on bicycles and motorcycles."""

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

_CLOTHES: tuple[Color, ...] = (
    (0.62, 0.14, 0.14), (0.16, 0.26, 0.5), (0.2, 0.2, 0.22), (0.78, 0.74, 0.66), (0.18, 0.38, 0.3),
    (0.8, 0.56, 0.16), (0.44, 0.2, 0.38), (0.5, 0.5, 0.52), (0.84, 0.84, 0.84),
)  # fmt: skip
_TROUSERS: tuple[Color, ...] = ((0.14, 0.17, 0.27), (0.12, 0.12, 0.13), (0.3, 0.26, 0.22), (0.36, 0.37, 0.4))
_SKIN: tuple[Color, ...] = ((0.86, 0.68, 0.56), (0.72, 0.52, 0.40), (0.50, 0.35, 0.26), (0.92, 0.76, 0.66))
_HAIR: tuple[Color, ...] = ((0.12, 0.09, 0.08), (0.3, 0.2, 0.13), (0.55, 0.42, 0.25), (0.5, 0.5, 0.5))


def _skin(class_id: int, instance: int, color: Color, z: float, glow: Glow = Glow.NONE) -> Surface:
    return Surface(class_id, instance, color, upright(z), Facing.ROUND, 0.06, glow)


def walk(world: World, x: float, z: float, rng: np.random.Generator) -> None:
    """A person on foot at (x, z)."""
    instance = world.new_instance(classes.PERSON)
    height = between(rng, 1.55, 1.9) if happens(rng, 0.9) else between(rng, 1.05, 1.35)
    stride = between(rng, 0.0, 0.32) * pick(rng, (-1.0, 1.0))
    item = Item(z)
    scale = height / 1.75

    def part(color: Color, *polygons: Polygon) -> None:
        scaled = [[(x + px * scale, py * scale, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(_skin(classes.PERSON, instance, color, z), *scaled)

    trousers, coat = pick(rng, _TROUSERS), shade(pick(rng, _CLOTHES), between(rng, 0.85, 1.15))
    part(trousers, bar(-0.08, 0.88, -0.1 - stride, 0.04, 0.17, z))
    part(shade(trousers, 1.15), bar(0.08, 0.88, 0.1 + stride, 0.04, 0.17, z))
    part((0.08, 0.08, 0.08), rectangle(-0.19 - stride, 0.0 - stride, 0.0, 0.08, z))
    part((0.08, 0.08, 0.08), rectangle(0.0 + stride, 0.19 + stride, 0.0, 0.08, z))
    _draw_trunk(part, coat, stride, z)
    _draw_head(part, 0.0, 1.59, pick(rng, _SKIN), pick(rng, _HAIR), z)
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.28, x + 0.28, z - 0.2, z + 0.25, height))


def _draw_trunk(part: Callable[..., None], coat: Color, stride: float, z: float) -> None:
    hem = _hem(stride)
    part(coat, [(-0.2, hem, z), (0.2, hem, z), (0.25, 1.38, z), (0.12, 1.47, z), (-0.12, 1.47, z), (-0.25, 1.38, z)])
    part(shade(coat, 0.78), bar(-0.25, 1.38, -0.3 + stride * 0.8, 0.86, 0.12, z))
    part(shade(coat, 0.86), bar(0.25, 1.38, 0.3 - stride * 0.8, 0.86, 0.12, z))


def _hem(stride: float) -> float:
    """Long coats go with short steps."""
    return 0.62 if abs(stride) < 0.08 else 0.82


def _draw_head(part: Callable[..., None], x: float, y: float, skin: Color, hair: Color, z: float) -> None:
    part(hair, ellipse(x, y + 0.03, z, 0.125, 0.15))
    part(skin, ellipse(x, y - 0.03, z, 0.095, 0.11))


def ride_bicycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A rider on a bicycle. `slant` is how much of its length is seen: 1 from the side, 0.2 from behind."""
    bicycle = world.new_instance(classes.BICYCLE)
    item = Item(z)
    _draw_bicycle(item, bicycle, x, z, slant, shade(pick(rng, _CLOTHES), 0.8))
    _draw_rider(world, item, x, z, slant, seat=0.95, rng=rng)
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.85 * abs(slant), x + 0.85 * abs(slant), z - 0.15, z + 0.2, 1.6))


def lean_bicycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A bicycle that nobody rides, left on the pavement."""
    item = Item(z)
    _draw_bicycle(item, world.new_instance(classes.BICYCLE), x, z, slant, shade(pick(rng, _CLOTHES), 0.9))
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.85 * abs(slant), x + 0.85 * abs(slant), z - 0.1, z + 0.1, 0.9))


def _draw_bicycle(item: Item, instance: int, x: float, z: float, slant: float, color: Color) -> None:
    def part(tone: Color, *polygons: Polygon) -> None:
        slanted = [[(x + px * slant, py, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(_skin(classes.BICYCLE, instance, tone, z), *slanted)

    tyre: Color = (0.08, 0.08, 0.09)
    for hub in (-0.53, 0.53):
        # A ring is two circles in one part: where they overlap is the hole.
        outer = ellipse(hub, 0.35, z, max(0.35, 0.07 / abs(slant)), 0.35)
        inner = ellipse(hub, 0.35, z, max(0.27, 0.0), 0.27)
        part(tyre, *([outer, inner] if abs(slant) > 0.45 else [outer]))
        part((0.3, 0.31, 0.33), bar(hub - 0.27, 0.35, hub + 0.27, 0.35, 0.03, z), bar(hub, 0.08, hub, 0.33, 0.04, z))
    for x0, y0, x1, y1 in ((-0.53, 0.35, -0.15, 0.8), (-0.15, 0.8, 0.38, 0.78), (-0.05, 0.35, 0.38, 0.78), (-0.53, 0.35, -0.05, 0.35), (0.53, 0.35, 0.36, 0.98), (-0.05, 0.35, -0.2, 0.92)):  # fmt: skip
        part(color, bar(x0, y0, x1, y1, 0.06, z))
    part(tyre, rectangle(-0.34, -0.06, 0.9, 0.97, z))
    item.add(
        _skin(classes.BICYCLE, instance, tyre, z),
        rectangle(x + 0.36 * slant - 0.2, x + 0.36 * slant + 0.2, 0.97, 1.03, z),
    )


def _draw_rider(
    world: World, item: Item, x: float, z: float, slant: float, seat: float, rng: np.random.Generator
) -> None:
    instance = world.new_instance(classes.RIDER)

    def part(color: Color, *polygons: Polygon) -> None:
        item.add(_skin(classes.RIDER, instance, color, z), *polygons)

    lean = 0.3 * slant
    hip = x - 0.2 * slant
    coat, trousers = pick(rng, _CLOTHES), pick(rng, _TROUSERS)
    for offset, foot in ((-0.09, 0.2), (0.09, 0.42)):
        knee = hip + offset + 0.36 * slant
        part(trousers, bar(hip + offset, seat, knee, seat - 0.2, 0.16, z))
        part(shade(trousers, 1.1), bar(knee, seat - 0.16, hip + offset + 0.18 * slant, foot, 0.13, z))
    shoulder = seat + 0.52
    part(coat, [(hip - 0.19, seat - 0.04, z), (hip + 0.19, seat - 0.04, z), (hip + lean + 0.22, shoulder, z), (hip + lean - 0.22, shoulder, z)])  # fmt: skip
    hand = x + 0.36 * slant
    for offset in (-0.2, 0.2):
        part(shade(coat, 0.82), bar(hip + lean + offset, shoulder - 0.05, hand + offset * 0.8, seat + 0.1, 0.11, z))
    helmet = shade(pick(rng, _CLOTHES), 1.1)
    _draw_head(part, hip + lean * 1.25, shoulder + 0.19, pick(rng, _SKIN), helmet, z)


def ride_motorcycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A rider on a motorcycle; a slant below zero comes towards the camera."""
    instance = world.new_instance(classes.MOTORCYCLE)
    item = Item(z)
    _draw_motorcycle(item, instance, x, z, slant, shade(pick(rng, _CLOTHES), 0.85), lit=True)
    _draw_rider(world, item, x, z, slant, seat=0.86, rng=rng)
    world.street.append(item)
    world.shadows.append(Shadow(x - max(0.3, abs(slant)), x + max(0.3, abs(slant)), z - 0.2, z + 0.3, 1.5))


def stand_motorcycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A parked motorcycle."""
    item = Item(z)
    color = shade(pick(rng, _CLOTHES), 0.85)
    _draw_motorcycle(item, world.new_instance(classes.MOTORCYCLE), x, z, slant, color, lit=False)
    world.street.append(item)
    world.shadows.append(Shadow(x - max(0.3, abs(slant)), x + max(0.3, abs(slant)), z - 0.2, z + 0.3, 1.0))


def _draw_motorcycle(item: Item, instance: int, x: float, z: float, slant: float, color: Color, lit: bool) -> None:
    def part(tone: Color, *polygons: Polygon, glow: Glow = Glow.NONE) -> None:
        slanted = [[(x + px * slant, py, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(_skin(classes.MOTORCYCLE, instance, tone, z, glow), *slanted)

    thin = 0.12 / abs(slant)
    for hub in (-0.68, 0.7):
        part((0.07, 0.07, 0.08), ellipse(hub, 0.32, z, max(0.32, thin), 0.32))
        part((0.4, 0.41, 0.43), ellipse(hub, 0.32, z, 0.15, 0.15))
    part((0.24, 0.24, 0.26), rectangle(-0.4, 0.35, 0.25, 0.6, z))
    body = [(-0.85, 0.75, z), (-0.3, 0.55, z), (0.5, 0.55, z), (0.62, 0.95, z), (0.1, 1.0, z), (-0.3, 0.8, z)]
    part(color, body)
    part((0.09, 0.09, 0.1), [(-0.85, 0.78, z), (-0.1, 0.76, z), (-0.15, 0.88, z), (-0.8, 0.9, z)])
    part((0.35, 0.36, 0.38), bar(0.7, 0.32, 0.52, 1.05, 0.09, z))
    end = 0.62 if slant < 0 else -0.85
    lamp = ellipse(end, 0.85, z, 0.11 / max(abs(slant), 0.4), 0.11)
    glow = (Glow.HEADLIGHT if slant < 0 else Glow.TAILLIGHT) if lit else Glow.NONE
    part((0.96, 0.95, 0.88) if slant < 0 else (0.75, 0.08, 0.07), lamp, glow=glow)
