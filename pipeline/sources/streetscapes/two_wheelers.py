"""Bicycles and motorcycles, and those who ride them."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import pick
from pipeline.sources.streetscapes.people import CLOTHES, SKIN, TROUSERS, draw_head, worn
from pipeline.sources.streetscapes.shapes import Color, Glow, Item, Polygon, Shadow, bar, ellipse, rectangle, shade
from pipeline.sources.streetscapes.world import World


def ride_bicycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A rider on a bicycle. `slant` is how much of its length is seen: 1 from the side, 0.2 from behind."""
    bicycle = world.new_instance(classes.BICYCLE)
    item = Item(z)
    _draw_bicycle(item, bicycle, x, z, slant, shade(pick(rng, CLOTHES), 0.8))
    _draw_rider(world, item, x, z, slant, seat=0.95, rng=rng)
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.85 * abs(slant), x + 0.85 * abs(slant), z - 0.15, z + 0.2, 1.6))


def lean_bicycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A bicycle that nobody rides, left on the pavement."""
    item = Item(z)
    _draw_bicycle(item, world.new_instance(classes.BICYCLE), x, z, slant, shade(pick(rng, CLOTHES), 0.9))
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.85 * abs(slant), x + 0.85 * abs(slant), z - 0.1, z + 0.1, 0.9))


def _draw_bicycle(item: Item, instance: int, x: float, z: float, slant: float, color: Color) -> None:
    def part(tone: Color, *polygons: Polygon) -> None:
        slanted = [[(x + px * slant, py, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(worn(classes.BICYCLE, instance, tone, z), *slanted)

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
        worn(classes.BICYCLE, instance, tyre, z),
        rectangle(x + 0.36 * slant - 0.2, x + 0.36 * slant + 0.2, 0.97, 1.03, z),
    )


def _draw_rider(
    world: World, item: Item, x: float, z: float, slant: float, seat: float, rng: np.random.Generator
) -> None:
    instance = world.new_instance(classes.RIDER)

    def part(color: Color, *polygons: Polygon) -> None:
        item.add(worn(classes.RIDER, instance, color, z), *polygons)

    lean = 0.3 * slant
    hip = x - 0.2 * slant
    coat, trousers = pick(rng, CLOTHES), pick(rng, TROUSERS)
    for offset, foot in ((-0.09, 0.2), (0.09, 0.42)):
        knee = hip + offset + 0.36 * slant
        part(trousers, bar(hip + offset, seat, knee, seat - 0.2, 0.16, z))
        part(shade(trousers, 1.1), bar(knee, seat - 0.16, hip + offset + 0.18 * slant, foot, 0.13, z))
    shoulder = seat + 0.52
    part(coat, [(hip - 0.19, seat - 0.04, z), (hip + 0.19, seat - 0.04, z), (hip + lean + 0.22, shoulder, z), (hip + lean - 0.22, shoulder, z)])  # fmt: skip
    hand = x + 0.36 * slant
    for offset in (-0.2, 0.2):
        part(shade(coat, 0.82), bar(hip + lean + offset, shoulder - 0.05, hand + offset * 0.8, seat + 0.1, 0.11, z))
    helmet = shade(pick(rng, CLOTHES), 1.1)
    draw_head(part, hip + lean * 1.25, shoulder + 0.19, pick(rng, SKIN), helmet, z)


def ride_motorcycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A rider on a motorcycle; a slant below zero comes towards the camera."""
    instance = world.new_instance(classes.MOTORCYCLE)
    item = Item(z)
    _draw_motorcycle(item, instance, x, z, slant, shade(pick(rng, CLOTHES), 0.85), lit=True)
    _draw_rider(world, item, x, z, slant, seat=0.86, rng=rng)
    world.street.append(item)
    world.shadows.append(Shadow(x - max(0.3, abs(slant)), x + max(0.3, abs(slant)), z - 0.2, z + 0.3, 1.5))


def stand_motorcycle(world: World, x: float, z: float, slant: float, rng: np.random.Generator) -> None:
    """A parked motorcycle."""
    item = Item(z)
    color = shade(pick(rng, CLOTHES), 0.85)
    _draw_motorcycle(item, world.new_instance(classes.MOTORCYCLE), x, z, slant, color, lit=False)
    world.street.append(item)
    world.shadows.append(Shadow(x - max(0.3, abs(slant)), x + max(0.3, abs(slant)), z - 0.2, z + 0.3, 1.0))


def _draw_motorcycle(item: Item, instance: int, x: float, z: float, slant: float, color: Color, lit: bool) -> None:
    def part(tone: Color, *polygons: Polygon, glow: Glow = Glow.NONE) -> None:
        slanted = [[(x + px * slant, py, pz) for px, py, pz in polygon] for polygon in polygons]
        item.add(worn(classes.MOTORCYCLE, instance, tone, z, glow), *slanted)

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
