"""Trucks and buses: boxes with doors, window bands and boards."""

from pipeline.sources.streetscapes.shapes import Glow, Item, shade
from pipeline.sources.streetscapes.vehicles import (
    BUMPER,
    BUS,
    GLASS,
    Placed,
    draw_lights,
    draw_wheels,
    on_end,
    on_flank,
)


def draw_box(item: Item, vehicle: Placed) -> None:
    """The parts of a truck or bus, from far to near."""
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    if vehicle.flank is not None:
        (_draw_bus_flank if shape is BUS else _draw_truck_flank)(item, vehicle)
        item.add(vehicle.skin(BUMPER, "flank"), on_flank(vehicle, 0.0, shape.length, 0.35, 0.6))
    draw_wheels(item, vehicle)
    if vehicle.end is None:
        return
    item.add(vehicle.skin(shade(vehicle.color, 0.95), "end"), on_end(vehicle, -half, half, 0.4, shape.roof))
    (_draw_bus_end if shape is BUS else _draw_truck_end)(item, vehicle)
    item.add(vehicle.skin(BUMPER, "end"), on_end(vehicle, -half, half, 0.35, 0.62))
    draw_lights(item, vehicle, half, 0.66, 0.26, 0.36)


def _draw_bus_flank(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    item.add(vehicle.skin(vehicle.color, "flank"), on_flank(vehicle, 0.0, shape.length, 0.4, shape.roof))
    pitch = (shape.length - 0.8) / 7
    panes = [on_flank(vehicle, 0.4 + i * pitch + 0.06, 0.4 + (i + 1) * pitch - 0.06, 1.25, 2.55) for i in range(7)]
    item.add(vehicle.skin(GLASS, "flank", Glow.WINDOW if vehicle.lit else Glow.NONE), *panes)
    item.add(vehicle.skin(shade(vehicle.color, 0.6), "flank"), on_flank(vehicle, 0.0, shape.length, 0.85, 1.0))


def _draw_bus_end(item: Item, vehicle: Placed) -> None:
    half = 0.5 * vehicle.shape.width
    low = 1.0 if vehicle.end == "nose" else 1.55
    item.add(vehicle.skin(shade(GLASS, 1.2), "end"), on_end(vehicle, -half + 0.12, half - 0.12, low, 2.5))
    board = on_end(vehicle, -half + 0.35, half - 0.35, 2.6, 2.95)
    item.add(vehicle.skin((0.95, 0.62, 0.12), "end", Glow.SHOP), board)


def _draw_truck_flank(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    cab = shape.length - 2.1
    item.add(vehicle.skin((0.22, 0.22, 0.23), "flank"), on_flank(vehicle, 0.0, shape.length, 0.5, 1.0))
    item.add(vehicle.skin((0.80, 0.80, 0.78), "flank"), on_flank(vehicle, 0.0, cab - 0.25, 0.95, shape.roof))
    ribs = [on_flank(vehicle, s, s + 0.07, 0.95, shape.roof) for s in (1.5, 3.0, 4.5)]
    item.add(vehicle.skin((0.66, 0.66, 0.65), "flank"), *ribs)
    item.add(vehicle.skin(vehicle.color, "flank"), on_flank(vehicle, 0.0, cab - 0.25, 1.7, 2.3))
    item.add(vehicle.skin(vehicle.color, "flank"), on_flank(vehicle, cab, shape.length, 0.45, 2.75))
    item.add(vehicle.skin(GLASS, "flank"), on_flank(vehicle, cab + 0.8, shape.length - 0.15, 1.6, 2.4))


def _draw_truck_end(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    if vehicle.end == "nose":
        item.add(vehicle.skin((0.8, 0.8, 0.78), "end"), on_end(vehicle, -half, half, 2.75, shape.roof))
        item.add(vehicle.skin(shade(GLASS, 1.2), "end"), on_end(vehicle, -half + 0.15, half - 0.15, 1.6, 2.5))
        item.add(vehicle.skin((0.13, 0.13, 0.14), "end"), on_end(vehicle, -0.8, 0.8, 0.95, 1.45))
        return
    item.add(
        vehicle.skin((0.80, 0.80, 0.78), "end"), on_end(vehicle, -half + 0.06, half - 0.06, 1.0, shape.roof - 0.06)
    )
    item.add(vehicle.skin((0.45, 0.45, 0.45), "end"), on_end(vehicle, -0.04, 0.04, 1.0, shape.roof - 0.06))
    item.add(vehicle.skin(vehicle.color, "end"), on_end(vehicle, -half + 0.3, half - 0.3, 2.0, 2.45))
