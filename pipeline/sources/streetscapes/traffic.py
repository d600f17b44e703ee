"""Who is where: vehicles in lanes and bays, people on pavements and crossings, furniture along the kerb."""

import numpy as np

from pipeline.sources.streetscapes.chance import between, count, happens, pick
from pipeline.sources.streetscapes.furniture import raise_bollard, raise_lamps, raise_sign, raise_signal
from pipeline.sources.streetscapes.greenery import grow_tree
from pipeline.sources.streetscapes.layout import KERB, Layout, Side
from pipeline.sources.streetscapes.parking import park
from pipeline.sources.streetscapes.people import walk
from pipeline.sources.streetscapes.shapes import Color, shade
from pipeline.sources.streetscapes.two_wheelers import (
    Spot,
    lean_bicycle,
    ride_bicycle,
    ride_motorcycle,
    stand_motorcycle,
)  # fmt: skip
from pipeline.sources.streetscapes.vehicles import BUS, CARS, TRUCK, Heading, Vehicle
from pipeline.sources.streetscapes.world import World

_PAINTS: tuple[Color, ...] = (
    (0.80, 0.81, 0.82), (0.55, 0.57, 0.60), (0.13, 0.13, 0.14), (0.66, 0.10, 0.10), (0.14, 0.24, 0.46),
    (0.88, 0.88, 0.87), (0.30, 0.32, 0.35), (0.22, 0.34, 0.28), (0.72, 0.55, 0.22), (0.42, 0.10, 0.14),
)  # fmt: skip
_LIVERIES: tuple[Color, ...] = (
    (0.85, 0.68, 0.14),
    (0.70, 0.12, 0.12),
    (0.16, 0.34, 0.62),
    (0.86, 0.86, 0.84),
    (0.20, 0.45, 0.34),
)


def fill_street(world: World, layout: Layout, rng: np.random.Generator) -> None:
    """Put traffic, parked vehicles, people and furniture on the street."""
    _drive(world, layout, rng)
    if layout.crossing is not None:
        _cross(world, layout, layout.crossing, rng)
    for side in layout.sides:
        _park_along(world, layout, side, rng)
        _people_pavement(world, layout, side, rng)
    _light(world, layout, rng)
    for side in layout.sides:
        _furnish(world, layout, side, rng)
    _cycle(world, layout, rng)


def _draw_paint(rng: np.random.Generator) -> Color:
    return shade(pick(rng, _PAINTS), between(rng, 0.85, 1.12))


def _draw_vehicle(rng: np.random.Generator) -> Vehicle:
    kind = float(rng.random())
    if kind < 0.12:
        return Vehicle(TRUCK, shade(pick(rng, _LIVERIES), between(rng, 0.85, 1.1)))
    if kind < 0.21:
        return Vehicle(BUS, shade(pick(rng, _LIVERIES), between(rng, 0.9, 1.1)))
    return Vehicle(pick(rng, CARS), _draw_paint(rng))


def _drive(world: World, layout: Layout, rng: np.random.Generator) -> None:
    busy = between(rng, 0.3, 1.0)
    for lane in range(-layout.lanes_oncoming, layout.lanes_ahead):
        z = between(rng, 11.0, 24.0) if lane == 0 else between(rng, 6.0, 18.0)
        while z < 75.0:
            vehicle = _draw_vehicle(rng)
            end = z + vehicle.shape.length
            if happens(rng, busy) and not _blocks(layout, z, end):
                x = layout.lane_center(lane) + between(rng, -0.3, 0.3)
                park(world, vehicle, x, z, "ahead" if lane >= 0 else "oncoming")
            z = end + between(rng, 5.0, 18.0)


def _blocks(layout: Layout, z0: float, z1: float) -> bool:
    """Whether a vehicle from z0 to z1 would stand on the crossing or in the junction behind it."""
    if layout.crossing is None:
        return False
    end = layout.crossing + 4.5 if layout.junction is None else layout.junction[1]
    return z0 < end and z1 > layout.crossing - 1.0


def _cross(world: World, layout: Layout, z: float, rng: np.random.Generator) -> None:
    """People on the crossing, signals beside it, sometimes a vehicle that turns across behind it."""
    for side in layout.sides:
        raise_signal(world, side.x(side.parking_edge + 0.4), z - 0.8 if side.sign > 0 else z + 3.8, rng)
    for _ in range(count(rng, 0, 4)):
        x = between(rng, -layout.left.road_edge, layout.right.road_edge)
        walk(world, x, z + between(rng, 0.4, 3.0), 0.0, rng)
    if layout.junction is not None and happens(rng, 0.7):
        vehicle = _draw_vehicle(rng)
        heading: Heading = pick(rng, ("leftward", "rightward"))
        middle = 0.5 * (layout.junction[0] + layout.junction[1])
        # Beyond the building line the corner houses would have to hide it.
        half = 0.5 * vehicle.shape.length
        x = between(rng, half - layout.left.line, layout.right.line - half)
        _turn_across(world, vehicle, x, middle + (0.7 if heading == "rightward" else -3.2), heading)


def _turn_across(world: World, vehicle: Vehicle, x: float, z: float, heading: Heading) -> None:
    """A vehicle across the road, unless something stands in its way."""
    half = 0.5 * vehicle.shape.length + 0.3
    if _is_free(world, x - half, x + half, z - 0.5, z + vehicle.shape.width + 0.5):
        park(world, vehicle, x, z, heading)


def _is_free(world: World, left: float, right: float, near: float, far: float) -> bool:
    """Whether nothing stands on this piece of ground: whatever stands has a shadow."""
    return not any(s.left < right and s.right > left and s.near < far and s.far > near for s in world.shadows)


def _park_along(world: World, layout: Layout, side: Side, rng: np.random.Generator) -> None:
    if side.parking_edge <= side.road_edge:
        return
    full = between(rng, 0.35, 0.95)
    z = between(rng, 4.0, 9.0)
    while z < 65.0:
        shape, color = (TRUCK, pick(rng, _LIVERIES)) if happens(rng, 0.05) else (pick(rng, CARS), _draw_paint(rng))
        x = side.x(side.road_edge + 1.2 + between(rng, -0.1, 0.1))
        if happens(rng, full) and layout.is_kerb(z) and layout.is_kerb(z + shape.length):
            heading: Heading = "ahead" if (side.sign > 0) != happens(rng, 0.1) else "oncoming"
            park(world, Vehicle(shape, color, lit=False), x, z, heading)
        elif happens(rng, 0.25) and layout.is_kerb(z):
            stand_motorcycle(world, Spot(x, z + 1.0, side.sign * between(rng, 0.5, 0.9)), rng)
        z += shape.length + between(rng, 0.8, 3.0)


def _light(world: World, layout: Layout, rng: np.random.Generator) -> None:
    """Street lamps on one side at least: no street is left in the dark."""
    both, lone = happens(rng, 0.6), pick(rng, layout.sides)
    for side in layout.sides:
        if both or side is lone:
            raise_lamps(world, side, rng)


def _furnish(world: World, layout: Layout, side: Side, rng: np.random.Generator) -> None:
    kerb, has_verge = side.parking_edge + 0.5, side.verge_edge > side.parking_edge
    if happens(rng, 0.4) or has_verge:
        line = 0.5 * (side.parking_edge + side.verge_edge) if has_verge else kerb + 0.2
        for z in np.arange(between(rng, 9.0, 16.0), 80.0, between(rng, 9.0, 14.0)).tolist():
            if layout.is_kerb(z):
                grow_tree(world, world.street, side.x(line), z, rng)
    for _ in range(count(rng, 1, 3)):
        z = between(rng, 7.0, 40.0)
        if layout.is_kerb(z):
            raise_sign(world, side.x(kerb), z, rng)
    if layout.crossing is None and happens(rng, 0.3):
        raise_signal(world, side.x(kerb), between(rng, 10.0, 35.0), rng)
    if happens(rng, 0.25):
        start = between(rng, 5.0, 25.0)
        for z in np.arange(start, start + 12.0, 1.8).tolist():
            if layout.is_kerb(z):
                raise_bollard(world, side.x(side.parking_edge + 0.3), z)


def _people_pavement(world: World, layout: Layout, side: Side, rng: np.random.Generator) -> None:
    for _ in range(count(rng, 1, 7)):
        z = 6.0 + 34.0 * float(rng.random()) ** 1.3
        distance = between(rng, side.verge_edge + 0.8, side.line - 0.4)
        if not layout.is_kerb(z):
            continue
        walk(world, side.x(distance), z, KERB, rng)
        if happens(rng, 0.3):
            walk(world, side.x(distance - 0.55), z + between(rng, -0.2, 0.2), KERB, rng)
    if happens(rng, 0.3):
        lean_bicycle(world, Spot(side.x(side.verge_edge + 0.9), between(rng, 7.0, 20.0), between(rng, 0.7, 1.0)), rng)


def _cycle(world: World, layout: Layout, rng: np.random.Generator) -> None:
    for _ in range(pick(rng, (0, 1, 1, 2))):
        ahead = happens(rng, 0.6)
        x = layout.right.road_edge - 0.6 if ahead else -layout.left.road_edge + 0.6
        along = Spot(x, between(rng, 7.0, 28.0), between(rng, 0.22, 0.6) * (1 if ahead else -1))
        if _is_free(world, x - 0.4, x + 0.4, along.z - 0.9, along.z + 0.9):
            ride_bicycle(world, along, rng)
    if happens(rng, 0.2):
        across = Spot(between(rng, -4.0, 2.0), between(rng, 8.0, 16.0), pick(rng, (-1.0, 1.0)))
        if _is_free(world, across.x - 0.9, across.x + 0.9, across.z - 0.4, across.z + 0.4):
            ride_bicycle(world, across, rng)
    if happens(rng, 0.45):
        _ride_along(world, layout, rng)


def _ride_along(world: World, layout: Layout, rng: np.random.Generator) -> None:
    """A motorcycle in a lane, ahead or coming."""
    coming = happens(rng, 0.4)
    x = layout.lane_center(-1 if coming else layout.lanes_ahead - 1) + between(rng, 0.6, 1.4)
    spot = Spot(x, between(rng, 7.0, 24.0), between(rng, 0.25, 0.6) * (-1 if coming else 1))
    if _is_free(world, x - 0.5, x + 0.5, spot.z - 1.0, spot.z + 1.0):
        ride_motorcycle(world, spot, rng)
