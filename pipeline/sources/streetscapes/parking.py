"""Puts a vehicle on the street: its parts, its shadow, its instance."""

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.cars import draw_car
from pipeline.sources.streetscapes.shapes import Color, Item, Shadow
from pipeline.sources.streetscapes.trucks_and_buses import draw_box
from pipeline.sources.streetscapes.vehicles import Heading, Placed, Shape
from pipeline.sources.streetscapes.world import World


def park(world: World, shape: Shape, x: float, z: float, heading: Heading, color: Color, lit: bool) -> None:
    """Put a vehicle on the street: its middle at x, its near edge at z."""
    across = world.camera.apparent_x(x, z + 1.0)
    vehicle = Placed(shape, x, z, heading, color, world.new_instance(shape.class_id), lit, across)
    item = Item(z)
    if shape.class_id == classes.CAR:
        draw_car(item, vehicle)
    else:
        draw_box(item, vehicle)
    world.street.append(item)
    across_half = 0.5 * (shape.width if vehicle.along else shape.length)
    deep = shape.length if vehicle.along else shape.width
    world.shadows.append(Shadow(x - across_half, x + across_half, z, z + deep, shape.roof))
