"""Bicycles and motorcycles, and those who ride them."""

from typing import NamedTuple

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import pick
from pipeline.sources.streetscapes.people import CLOTHES, SKIN, TROUSERS, draw_head, worn
from pipeline.sources.streetscapes.shapes import Color, Glow, Item, Polygon, Shadow, bar, ellipse, rectangle, shade
from pipeline.sources.streetscapes.world import World

_TYRE: Color = (0.08, 0.08, 0.09)
_HUBS = (-0.53, 0.53)
_FRAME = (
    (-0.53, 0.35, -0.15, 0.8),
    (-0.15, 0.8, 0.38, 0.78),
    (-0.05, 0.35, 0.38, 0.78),
    (-0.53, 0.35, -0.05, 0.35),
    (0.53, 0.35, 0.36, 0.98),
    (-0.05, 0.35, -0.2, 0.92),
)


class Spot(NamedTuple):
    """Where a two-wheeler stands, and how much of its length is seen: 1 from the side, 0.2 from behind.

    A slant below zero heads left; for a motorcycle it also means that it comes towards the camera.
    """

    x: float
    z: float
    slant: float

    def slanted(self, polygon: Polygon) -> Polygon:
        """A polygon around the middle of the two-wheeler, in the world."""
        return [(self.x + px * self.slant, py, pz) for px, py, pz in polygon]

    def shadow(self, half: float, height: float) -> Shadow:
        """The shadow of something this long when seen from the side."""
        reach = max(0.25, half * abs(self.slant))
        return Shadow(self.x - reach, self.x + reach, self.z - 0.15, self.z + 0.25, height)


def ride_bicycle(world: World, spot: Spot, rng: np.random.Generator) -> None:
    """A rider on a bicycle."""
    item = Item(spot.z)
    _draw_bicycle(world, item, spot, shade(pick(rng, CLOTHES), 0.8))
    _draw_rider(world, item, spot, seat=0.95, rng=rng)
    world.street.append(item)
    world.shadows.append(spot.shadow(0.85, 1.6))


def lean_bicycle(world: World, spot: Spot, rng: np.random.Generator) -> None:
    """A bicycle that nobody rides, left on the pavement."""
    item = Item(spot.z)
    _draw_bicycle(world, item, spot, shade(pick(rng, CLOTHES), 0.9))
    world.street.append(item)
    world.shadows.append(spot.shadow(0.85, 0.9))


def ride_motorcycle(world: World, spot: Spot, rng: np.random.Generator) -> None:
    """A rider on a motorcycle with its light on."""
    item = Item(spot.z)
    _draw_motorcycle(world, item, spot, shade(pick(rng, CLOTHES), 0.85), lit=True)
    _draw_rider(world, item, spot, seat=0.86, rng=rng)
    world.street.append(item)
    world.shadows.append(spot.shadow(1.0, 1.5))


def stand_motorcycle(world: World, spot: Spot, rng: np.random.Generator) -> None:
    """A parked motorcycle."""
    item = Item(spot.z)
    _draw_motorcycle(world, item, spot, shade(pick(rng, CLOTHES), 0.85), lit=False)
    world.street.append(item)
    world.shadows.append(spot.shadow(1.0, 1.0))


def _draw_bicycle(world: World, item: Item, spot: Spot, color: Color) -> None:
    instance, z = world.new_instance(classes.BICYCLE), spot.z

    def part(tone: Color, *polygons: Polygon) -> None:
        item.add(worn(classes.BICYCLE, instance, tone, z), *map(spot.slanted, polygons))

    for hub in _HUBS:
        # A ring is two circles in one part: where they overlap is the hole. From behind, it is as broad as a tyre.
        outer, inner = ellipse(hub, 0.35, z, max(0.35, 0.07 / abs(spot.slant)), 0.35), ellipse(hub, 0.35, z, 0.27, 0.27)
        part(_TYRE, *([outer, inner] if abs(spot.slant) > 0.45 else [outer]))
        part((0.3, 0.31, 0.33), bar(hub - 0.27, 0.35, hub + 0.27, 0.35, 0.03, z), bar(hub, 0.08, hub, 0.33, 0.04, z))
    for tube in _FRAME:
        part(color, bar(*tube, 0.06, z))
    part(_TYRE, rectangle(-0.34, -0.06, 0.9, 0.97, z))
    grip = spot.x + 0.36 * spot.slant
    item.add(worn(classes.BICYCLE, instance, _TYRE, z), rectangle(grip - 0.2, grip + 0.2, 0.97, 1.03, z))


def _draw_rider(world: World, item: Item, spot: Spot, seat: float, rng: np.random.Generator) -> None:
    instance, z, slant = world.new_instance(classes.RIDER), spot.z, spot.slant

    def part(color: Color, *polygons: Polygon) -> None:
        item.add(worn(classes.RIDER, instance, color, z), *polygons)

    hip, hand, lean, shoulder = spot.x - 0.2 * slant, spot.x + 0.36 * slant, 0.3 * slant, seat + 0.52
    chest = hip + lean
    coat, trousers = pick(rng, CLOTHES), pick(rng, TROUSERS)
    for offset, foot in ((-0.09, 0.2), (0.09, 0.42)):
        knee = hip + offset + 0.36 * slant
        part(trousers, bar(hip + offset, seat, knee, seat - 0.2, 0.16, z))
        part(shade(trousers, 1.1), bar(knee, seat - 0.16, hip + offset + 0.18 * slant, foot, 0.13, z))
    waist = [(hip - 0.19, seat - 0.04, z), (hip + 0.19, seat - 0.04, z)]
    part(coat, [*waist, (chest + 0.22, shoulder, z), (chest - 0.22, shoulder, z)])
    for offset in (-0.2, 0.2):
        part(shade(coat, 0.82), bar(chest + offset, shoulder - 0.05, hand + offset * 0.8, seat + 0.1, 0.11, z))
    helmet = shade(pick(rng, CLOTHES), 1.1)
    draw_head(part, hip + lean * 1.25, shoulder + 0.19, pick(rng, SKIN), helmet, z)


def _draw_motorcycle(world: World, item: Item, spot: Spot, color: Color, lit: bool) -> None:
    instance, z, coming = world.new_instance(classes.MOTORCYCLE), spot.z, spot.slant < 0

    def part(tone: Color, *polygons: Polygon, glow: Glow = Glow.NONE) -> None:
        item.add(worn(classes.MOTORCYCLE, instance, tone, z, glow), *map(spot.slanted, polygons))

    for hub in (-0.68, 0.7):
        part(_TYRE, ellipse(hub, 0.32, z, max(0.32, 0.12 / abs(spot.slant)), 0.32))
        part((0.4, 0.41, 0.43), ellipse(hub, 0.32, z, 0.15, 0.15))
    part((0.24, 0.24, 0.26), rectangle(-0.4, 0.35, 0.25, 0.6, z))
    part(color, [(-0.85, 0.75, z), (-0.3, 0.55, z), (0.5, 0.55, z), (0.62, 0.95, z), (0.1, 1.0, z), (-0.3, 0.8, z)])
    part((0.09, 0.09, 0.1), [(-0.85, 0.78, z), (-0.1, 0.76, z), (-0.15, 0.88, z), (-0.8, 0.9, z)])
    part((0.35, 0.36, 0.38), bar(0.7, 0.32, 0.52, 1.05, 0.09, z))
    lamp = ellipse(0.62 if coming else -0.85, 0.85, z, 0.11 / max(abs(spot.slant), 0.4), 0.11)
    glow = (Glow.HEADLIGHT if coming else Glow.TAILLIGHT) if lit else Glow.NONE
    part((0.96, 0.95, 0.88) if coming else (0.75, 0.08, 0.07), lamp, glow=glow)
