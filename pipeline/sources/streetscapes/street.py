"""Draws a whole street world from a generator."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.buildings import draw_house
from pipeline.sources.streetscapes.chance import between, happens
from pipeline.sources.streetscapes.furniture import raise_fence
from pipeline.sources.streetscapes.greenery import plant_park
from pipeline.sources.streetscapes.ground import draw_ground
from pipeline.sources.streetscapes.layout import FAR, Side, draw_camera, draw_layout
from pipeline.sources.streetscapes.shapes import Facing, Item, Surface
from pipeline.sources.streetscapes.skyline import draw_skyline
from pipeline.sources.streetscapes.traffic import fill_street
from pipeline.sources.streetscapes.world import TimeOfDay, Weather, World

_GREEN = {"houses": 0.0, "mixed": 0.5, "park": 0.92}  # share of a frontage that is park


def draw_world(rng: np.random.Generator, time_of_day: TimeOfDay = "day", weather: Weather = "clear") -> World:
    """A street world. Hour and weather change its light only: the same generator state gives the same geometry."""
    camera, layout = draw_camera(rng), draw_layout(rng)
    world = World(camera, time_of_day, weather, between(rng, -1.0, 1.0), int(rng.integers(1 << 30)))
    draw_ground(world, layout, rng)
    draw_skyline(world, FAR, rng)
    for side in layout.sides:
        _line_street(world, side, layout.junction, rng)
    fill_street(world, layout, rng)
    return world


def _line_street(world: World, side: Side, junction: tuple[float, float] | None, rng: np.random.Generator) -> None:
    """Plot after plot from the camera to the end: houses, parks, side streets."""
    z = between(rng, -6.0, 1.5)
    while z < FAR - 8.0:
        if junction is not None and z < junction[0]:
            end = z + between(rng, 9.0, 20.0)
            # The corner plot takes what is left, so that both sides open at the junction.
            end = junction[0] if end > junction[0] - 9.0 else end
        elif junction is not None and z < junction[1]:
            z = junction[1]
            continue
        else:
            end = z + between(rng, 9.0, 20.0)
        z = _fill_plot(world, side, z, end, rng)


def _fill_plot(world: World, side: Side, z0: float, z1: float, rng: np.random.Generator) -> float:
    """A house, a park or a side street from z0 on; returns where it ends."""
    near, far = max(z0, 1.2), min(z1, FAR)
    if happens(rng, _GREEN[side.frontage]):
        plant_park(world, side, near, far, rng)
        if side.fenced:
            raise_fence(world, side, near, min(far, 80.0), rng)
        return z1
    if happens(rng, 0.14) and z0 > 8.0 and z1 - z0 < 16.0:
        _open_side_street(world, side, near, far)
        return z1
    if z1 > 2.5:
        draw_house(world, side, near, far, rng)
    return z1


def _open_side_street(world: World, side: Side, z0: float, z1: float) -> None:
    item = Item(z1)
    near, far = side.x(side.line - 0.2), side.x(side.line + 90.0)
    asphalt = Surface(classes.ROAD, classes.ROAD, (0.34, 0.34, 0.35), None, Facing.UP, 0.16)
    item.add(asphalt, [(near, 0.1, z0 + 1.2), (near, 0.1, z1 - 1.2), (far, 0.1, z1 - 1.2), (far, 0.1, z0 + 1.2)])
    world.behind.append(item)
