"""Draws a whole street world from a generator."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.buildings import draw_house, draw_skyline
from pipeline.sources.streetscapes.chance import between, happens
from pipeline.sources.streetscapes.furniture import raise_fence
from pipeline.sources.streetscapes.greenery import plant_park
from pipeline.sources.streetscapes.ground import draw_ground
from pipeline.sources.streetscapes.layout import FAR, Side, draw_camera, draw_layout
from pipeline.sources.streetscapes.shapes import Facing, Item, Surface
from pipeline.sources.streetscapes.traffic import fill_street
from pipeline.sources.streetscapes.world import TimeOfDay, Weather, World


def draw_world(rng: np.random.Generator, time_of_day: TimeOfDay = "day", weather: Weather = "clear") -> World:
    """A street world. Hour and weather change its light only: the same generator state gives the same geometry."""
    camera, layout = draw_camera(rng), draw_layout(rng)
    world = World(camera, time_of_day, weather, between(rng, -1.0, 1.0), int(rng.integers(1 << 30)))
    draw_ground(world, layout, rng)
    draw_skyline(world, FAR, rng)
    for side in layout.sides:
        _line_street(world, side, rng)
    fill_street(world, layout, rng)
    return world


def _line_street(world: World, side: Side, rng: np.random.Generator) -> None:
    """Plot after plot from the camera to the end: houses, parks, side streets."""
    z = between(rng, -6.0, 1.5)
    while z < FAR - 8.0:
        z0, kind = max(z, 1.2), float(rng.random())
        green = {"houses": 0.0, "mixed": 0.4, "park": 0.92}[side.frontage]
        if kind < green:
            z += between(rng, 24.0, 45.0)
            plant_park(world, side, z0, min(z, FAR), rng)
            if side.fenced:
                raise_fence(world, side, z0, min(z, 80.0), rng)
        elif happens(rng, 0.16) and z > 8.0:
            z += between(rng, 7.0, 10.0)
            _open_side_street(world, side, z0, z)
        else:
            z += between(rng, 9.0, 20.0)
            if z > 2.5:
                draw_house(world, side, z0, min(z, FAR), rng)


def _open_side_street(world: World, side: Side, z0: float, z1: float) -> None:
    item = Item(z1)
    near, far = side.x(side.line - 0.2), side.x(side.line + 90.0)
    asphalt = Surface(classes.ROAD, classes.ROAD, (0.34, 0.34, 0.35), None, Facing.UP, 0.16)
    item.add(asphalt, [(near, 0.1, z0 + 1.2), (near, 0.1, z1 - 1.2), (far, 0.1, z1 - 1.2), (far, 0.1, z0 + 1.2)])
    world.behind.append(item)
