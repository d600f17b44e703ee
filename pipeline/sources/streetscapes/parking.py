"""Puts a vehicle on the street: its parts, its shadow, its instance."""

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.cars import draw_car
from pipeline.sources.streetscapes.shapes import Item, Shadow
from pipeline.sources.streetscapes.trucks_and_buses import draw_box
from pipeline.sources.streetscapes.vehicles import Heading, Placed, Vehicle
from pipeline.sources.streetscapes.world import World


def park(world: World, vehicle: Vehicle, x: float, z: float, heading: Heading) -> None:
    """Put a vehicle on the street: its middle at x, its near edge at z."""
    shape, color, lit = vehicle
    across = world.camera.apparent_x(x, z + 1.0)
    placed = Placed(shape, x, z, heading, color, world.new_instance(shape.class_id), lit, across)
    item = Item(z)
    if shape.class_id == classes.CAR:
        draw_car(item, placed)
    else:
        draw_box(item, placed)
    world.street.append(item)
    across_half = 0.5 * (shape.width if placed.along else shape.length)
    deep = shape.length if placed.along else shape.width
    world.shadows.append(Shadow(x - across_half, x + across_half, z, z + deep, shape.roof))
