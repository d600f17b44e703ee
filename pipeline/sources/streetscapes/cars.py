"""Cars: body, cabin with its glass, wheels and lights."""

from pipeline.sources.streetscapes.shapes import Glow, Item, Polygon, shade
from pipeline.sources.streetscapes.vehicles import BUMPER, GLASS, Placed, draw_lights, draw_wheels, on_end, on_flank


def draw_car(item: Item, vehicle: Placed) -> None:
    """The parts of a car, from far to near."""
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    length, color = shape.length, vehicle.color
    if vehicle.flank is not None:
        item.add(vehicle.skin(color, "flank"), on_flank(vehicle, 0.0, length, 0.24, shape.belt))
        item.add(vehicle.skin(BUMPER, "flank"), on_flank(vehicle, 0.0, length, 0.22, 0.36))
    deck = [vehicle.at(s, t, shape.belt) for s, t in ((0.0, -half), (length, -half), (length, half), (0.0, half))]
    item.add(vehicle.skin(shade(color, 1.08), "top"), deck)
    _draw_cabin(item, vehicle)
    draw_wheels(item, vehicle)
    if vehicle.end is not None:
        _draw_car_end(item, vehicle)


def _draw_cabin(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    base0, roof0, roof1, base1 = (share * shape.length for share in shape.cabin)
    half, tuck = 0.5 * shape.width * 0.95, 0.5 * shape.width * 0.78
    corners = [(roof0, -tuck), (roof1, -tuck), (roof1, tuck), (roof0, tuck)]
    if vehicle.flank is not None:
        sign = -1.0 if vehicle.flank < 0 else 1.0
        wall = [
            (base0, half, shape.belt),
            (base1, half, shape.belt),
            (roof1, tuck, shape.roof),
            (roof0, tuck, shape.roof),
        ]
        item.add(vehicle.skin(vehicle.color, "flank"), [vehicle.at(s, sign * t, y) for s, t, y in wall])
        item.add(vehicle.skin(GLASS, "flank"), *_side_windows(vehicle, sign, half, tuck))
    item.add(vehicle.skin(shade(vehicle.color, 1.1), "top"), [vehicle.at(s, t, shape.roof) for s, t in corners])
    if vehicle.end is not None:
        base, roof = (base1, roof1) if vehicle.end == "nose" else (base0, roof0)
        frame = [vehicle.at(base, -half, shape.belt), vehicle.at(base, half, shape.belt)]
        frame += [vehicle.at(roof, tuck, shape.roof), vehicle.at(roof, -tuck, shape.roof)]
        item.add(vehicle.skin(vehicle.color, "end"), frame)
        high, low = shape.roof - 0.09, shape.belt + 0.04
        pane = [vehicle.at(base, -half * 0.88, low), vehicle.at(base, half * 0.88, low)]
        pane += [vehicle.at(roof, tuck * 0.9, high), vehicle.at(roof, -tuck * 0.9, high)]
        item.add(vehicle.skin(shade(GLASS, 1.25), "end"), pane)


def _side_windows(vehicle: Placed, sign: float, half: float, tuck: float) -> list[Polygon]:
    shape = vehicle.shape
    base0, roof0, roof1, base1 = (share * shape.length for share in shape.cabin)
    rise = shape.roof - shape.belt
    y0, y1 = shape.belt + 0.04, shape.roof - 0.12 * rise - 0.03
    middle = 0.5 * (roof0 + roof1)
    t0, t1 = sign * half, sign * (half + (tuck - half) * 0.85)
    tail = [(base0 + 0.22, t0, y0), (middle - 0.05, t0, y0), (middle - 0.05, t1, y1), (roof0 + 0.16, t1, y1)]
    nose = [(middle + 0.05, t0, y0), (base1 - 0.22, t0, y0), (roof1 - 0.08, t1, y1), (middle + 0.05, t1, y1)]
    return [[vehicle.at(*corner) for corner in window] for window in (tail, nose)]


def _draw_car_end(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    nose = vehicle.end == "nose"
    item.add(vehicle.skin(shade(vehicle.color, 0.94), "end"), on_end(vehicle, -half, half, 0.26, shape.belt))
    item.add(vehicle.skin(BUMPER, "end"), on_end(vehicle, -half, half, 0.22, 0.42))
    if nose:
        item.add(vehicle.skin((0.1, 0.1, 0.11), "end"), on_end(vehicle, -0.45, 0.45, 0.46, shape.belt - 0.18))
    item.add(vehicle.skin((0.9, 0.9, 0.86), "end", Glow.REFLECTOR), on_end(vehicle, -0.25, 0.25, 0.42, 0.54))
    draw_lights(item, vehicle, half, shape.belt - 0.3, 0.2, 0.42)
