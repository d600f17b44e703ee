"""Cars, trucks and buses as boxes in the round: ends, sides, tops, glass, wheels and lights."""

from dataclasses import dataclass
from typing import Literal

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.shapes import Color, Facing, Glow, Item, Polygon, Shadow, Stand, Surface, shade
from pipeline.sources.streetscapes.world import World

Heading = Literal["ahead", "oncoming", "rightward", "leftward"]

_TYRE: Color = (0.07, 0.07, 0.075)
_RIM: Color = (0.5, 0.51, 0.53)
_GLASS: Color = (0.15, 0.19, 0.23)
_BUMPER: Color = (0.16, 0.16, 0.17)


@dataclass(frozen=True)
class Shape:
    """The measures of a vehicle: s along it from the tail, y up."""

    class_id: int
    length: float
    width: float
    belt: float  # top of the lower body
    roof: float
    cabin: tuple[float, float, float, float]  # s of tail base, tail roof, nose roof, nose base, in shares of the length
    wheels: tuple[float, ...]  # s of the axles, in shares of the length
    wheel: float  # radius


HATCHBACK = Shape(classes.CAR, 4.0, 1.8, 0.92, 1.5, (0.02, 0.12, 0.58, 0.76), (0.19, 0.81), 0.33)
SALOON = Shape(classes.CAR, 4.6, 1.84, 0.9, 1.45, (0.1, 0.26, 0.58, 0.74), (0.2, 0.81), 0.33)
ESTATE = Shape(classes.CAR, 4.6, 1.84, 0.93, 1.5, (0.02, 0.07, 0.58, 0.74), (0.19, 0.81), 0.33)
OFFROADER = Shape(classes.CAR, 4.6, 1.92, 1.05, 1.75, (0.01, 0.06, 0.6, 0.74), (0.19, 0.81), 0.39)
VAN = Shape(classes.CAR, 4.9, 1.95, 1.1, 1.98, (0.0, 0.02, 0.74, 0.9), (0.18, 0.82), 0.35)
CARS = (HATCHBACK, HATCHBACK, SALOON, SALOON, ESTATE, OFFROADER, VAN)
TRUCK = Shape(classes.TRUCK, 8.5, 2.5, 1.2, 3.4, (0.0, 0.0, 1.0, 1.0), (0.17, 0.3, 0.86), 0.5)
BUS = Shape(classes.BUS, 11.5, 2.55, 1.25, 3.1, (0.0, 0.0, 1.0, 1.0), (0.26, 0.8), 0.5)


@dataclass(frozen=True)
class Placed:
    """A vehicle on the road: x of its middle, z of its near edge."""

    shape: Shape
    x: float
    z: float
    heading: Heading
    color: Color
    instance: int
    lit: bool  # a parked car's lights are off
    across: float  # where the bend has moved it: what decides which flank is seen

    @property
    def along(self) -> bool:
        return self.heading in ("ahead", "oncoming")

    def at(self, s: float, t: float, y: float) -> tuple[float, float, float]:
        """The world point at s metres from the tail, t metres right of the middle as the camera sees it or away from it."""
        if self.heading == "ahead":
            return (self.x + t, y, self.z + s)
        if self.heading == "oncoming":
            return (self.x + t, y, self.z + self.shape.length - s)
        run = s - 0.5 * self.shape.length
        return (self.x + (run if self.heading == "rightward" else -run), y, self.z + 0.5 * self.shape.width + t)

    @property
    def flank(self) -> float | None:
        """The t of the long side that the camera sees, if any."""
        half = 0.5 * self.shape.width
        if not self.along:
            return -half
        if abs(self.across) < half:
            return None
        return -half if self.across > 0 else half

    @property
    def end(self) -> Literal["tail", "nose"] | None:
        """The short side that the camera sees, if any."""
        if self.heading == "ahead":
            return "tail"
        if self.heading == "oncoming":
            return "nose"
        if abs(self.across) < 0.5 * self.shape.length:
            return None
        return "tail" if (self.across > 0) == (self.heading == "rightward") else "nose"

    def skin(self, color: Color, where: str, glow: Glow = Glow.NONE) -> Surface:
        """A surface on the flank, the end or the top."""
        stand, facing = self._place(where)
        return Surface(self.shape.class_id, self.instance, color, stand, facing, 0.03, glow)

    def _place(self, where: str) -> tuple[Stand, Facing]:
        length, half = self.shape.length, 0.5 * self.shape.width
        if where == "flank":
            t = self.flank if self.flank is not None else 0.0
            a, b = self.at(0.0, t, 0.0), self.at(length, t, 0.0)
            facing = Facing.NEAR if not self.along else (Facing.LEFT if t < 0 else Facing.RIGHT)
        else:
            s = length if self.end == "nose" else 0.0
            a, b = self.at(s, -half, 0.0), self.at(s, half, 0.0)
            facing = Facing.NEAR if self.along else (Facing.LEFT if self.across > 0 else Facing.RIGHT)
        return (a[0], a[2], b[0], b[2]), (Facing.UP if where == "top" else facing)


def park(world: World, shape: Shape, x: float, z: float, heading: Heading, color: Color, lit: bool) -> None:
    """Put a vehicle on the street: its middle at x, its near edge at z."""
    across = world.camera.apparent_x(x, z + 1.0)
    vehicle = Placed(shape, x, z, heading, color, world.new_instance(shape.class_id), lit, across)
    item = Item(z)
    if shape.class_id == classes.CAR:
        _draw_car(item, vehicle)
    else:
        _draw_box(item, vehicle)
    world.street.append(item)
    across_half = 0.5 * (shape.width if vehicle.along else shape.length)
    deep = shape.length if vehicle.along else shape.width
    world.shadows.append(Shadow(x - across_half, x + across_half, z, z + deep, shape.roof))


def _on_flank(vehicle: Placed, s0: float, s1: float, y0: float, y1: float) -> Polygon:
    t = vehicle.flank or 0.0
    return [vehicle.at(s0, t, y0), vehicle.at(s1, t, y0), vehicle.at(s1, t, y1), vehicle.at(s0, t, y1)]


def _on_end(vehicle: Placed, t0: float, t1: float, y0: float, y1: float) -> Polygon:
    s = vehicle.shape.length if vehicle.end == "nose" else 0.0
    return [vehicle.at(s, t0, y0), vehicle.at(s, t1, y0), vehicle.at(s, t1, y1), vehicle.at(s, t0, y1)]


def _draw_car(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    length, color = shape.length, vehicle.color
    if vehicle.flank is not None:
        item.add(vehicle.skin(color, "flank"), _on_flank(vehicle, 0.0, length, 0.24, shape.belt))
        item.add(vehicle.skin(_BUMPER, "flank"), _on_flank(vehicle, 0.0, length, 0.22, 0.36))
    deck = [vehicle.at(s, t, shape.belt) for s, t in ((0.0, -half), (length, -half), (length, half), (0.0, half))]
    item.add(vehicle.skin(shade(color, 1.08), "top"), deck)
    _draw_cabin(item, vehicle)
    _draw_wheels(item, vehicle)
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
        item.add(vehicle.skin(_GLASS, "flank"), *_side_windows(vehicle, sign, half, tuck))
    item.add(vehicle.skin(shade(vehicle.color, 1.1), "top"), [vehicle.at(s, t, shape.roof) for s, t in corners])
    if vehicle.end is not None:
        base, roof = (base1, roof1) if vehicle.end == "nose" else (base0, roof0)
        frame = [vehicle.at(base, -half, shape.belt), vehicle.at(base, half, shape.belt)]
        frame += [vehicle.at(roof, tuck, shape.roof), vehicle.at(roof, -tuck, shape.roof)]
        item.add(vehicle.skin(vehicle.color, "end"), frame)
        high, low = shape.roof - 0.09, shape.belt + 0.04
        pane = [vehicle.at(base, -half * 0.88, low), vehicle.at(base, half * 0.88, low)]
        pane += [vehicle.at(roof, tuck * 0.9, high), vehicle.at(roof, -tuck * 0.9, high)]
        item.add(vehicle.skin(shade(_GLASS, 1.25), "end"), pane)


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


def _draw_wheels(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    if vehicle.flank is not None:
        for share in shape.wheels:
            for scale, color in ((1.0, _TYRE), (0.58, _RIM)):
                item.add(vehicle.skin(color, "flank"), _wheel(vehicle, share * shape.length, shape.wheel * scale))
    if vehicle.along:
        half = 0.5 * shape.width
        s = shape.length - 0.35 if vehicle.end == "nose" else 0.35
        for t in (-half + 0.04, half - 0.27):
            tyre = [
                vehicle.at(s, t, 0.0),
                vehicle.at(s, t + 0.23, 0.0),
                vehicle.at(s, t + 0.23, 0.4),
                vehicle.at(s, t, 0.4),
            ]
            item.add(vehicle.skin(_TYRE, "end"), tyre)


_ROUND = ((1.0, 0.0), (0.7, 0.7), (0.0, 1.0), (-0.7, 0.7), (-1.0, 0.0), (-0.7, -0.7), (0.0, -1.0), (0.7, -0.7))


def _wheel(vehicle: Placed, s: float, radius: float) -> Polygon:
    t = vehicle.flank or 0.0
    return [vehicle.at(s + radius * cos, t, vehicle.shape.wheel + radius * sin) for cos, sin in _ROUND]


def _draw_car_end(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    nose = vehicle.end == "nose"
    item.add(vehicle.skin(shade(vehicle.color, 0.94), "end"), _on_end(vehicle, -half, half, 0.26, shape.belt))
    item.add(vehicle.skin(_BUMPER, "end"), _on_end(vehicle, -half, half, 0.22, 0.42))
    if nose:
        item.add(vehicle.skin((0.1, 0.1, 0.11), "end"), _on_end(vehicle, -0.45, 0.45, 0.46, shape.belt - 0.18))
    item.add(vehicle.skin((0.9, 0.9, 0.86), "end", Glow.REFLECTOR), _on_end(vehicle, -0.25, 0.25, 0.42, 0.54))
    _draw_lights(item, vehicle, half, shape.belt - 0.3, 0.2, 0.42)


def _draw_lights(item: Item, vehicle: Placed, half: float, y: float, height: float, width: float) -> None:
    nose = vehicle.end == "nose"
    glow = Glow.NONE
    if vehicle.lit:
        glow = Glow.HEADLIGHT if nose else Glow.TAILLIGHT
    color = (0.96, 0.95, 0.88) if nose else (0.72, 0.08, 0.07)
    lamps = [_on_end(vehicle, -half + 0.06, -half + 0.06 + width, y, y + height)]
    lamps.append(_on_end(vehicle, half - 0.06 - width, half - 0.06, y, y + height))
    item.add(vehicle.skin(color, "end", glow), *lamps)


def _draw_box(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    if vehicle.flank is not None:
        (_draw_bus_flank if shape is BUS else _draw_truck_flank)(item, vehicle)
        item.add(vehicle.skin(_BUMPER, "flank"), _on_flank(vehicle, 0.0, shape.length, 0.35, 0.6))
    _draw_wheels(item, vehicle)
    if vehicle.end is None:
        return
    item.add(vehicle.skin(shade(vehicle.color, 0.95), "end"), _on_end(vehicle, -half, half, 0.4, shape.roof))
    (_draw_bus_end if shape is BUS else _draw_truck_end)(item, vehicle)
    item.add(vehicle.skin(_BUMPER, "end"), _on_end(vehicle, -half, half, 0.35, 0.62))
    _draw_lights(item, vehicle, half, 0.66, 0.26, 0.36)


def _draw_bus_flank(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    item.add(vehicle.skin(vehicle.color, "flank"), _on_flank(vehicle, 0.0, shape.length, 0.4, shape.roof))
    pitch = (shape.length - 0.8) / 7
    panes = [_on_flank(vehicle, 0.4 + i * pitch + 0.06, 0.4 + (i + 1) * pitch - 0.06, 1.25, 2.55) for i in range(7)]
    item.add(vehicle.skin(_GLASS, "flank", Glow.WINDOW if vehicle.lit else Glow.NONE), *panes)
    item.add(vehicle.skin(shade(vehicle.color, 0.6), "flank"), _on_flank(vehicle, 0.0, shape.length, 0.85, 1.0))


def _draw_bus_end(item: Item, vehicle: Placed) -> None:
    half = 0.5 * vehicle.shape.width
    low = 1.0 if vehicle.end == "nose" else 1.55
    item.add(vehicle.skin(shade(_GLASS, 1.2), "end"), _on_end(vehicle, -half + 0.12, half - 0.12, low, 2.5))
    board = _on_end(vehicle, -half + 0.35, half - 0.35, 2.6, 2.95)
    item.add(vehicle.skin((0.95, 0.62, 0.12), "end", Glow.SIGNAL), board)


def _draw_truck_flank(item: Item, vehicle: Placed) -> None:
    shape = vehicle.shape
    cab = shape.length - 2.1
    item.add(vehicle.skin((0.22, 0.22, 0.23), "flank"), _on_flank(vehicle, 0.0, shape.length, 0.5, 1.0))
    item.add(vehicle.skin((0.80, 0.80, 0.78), "flank"), _on_flank(vehicle, 0.0, cab - 0.25, 0.95, shape.roof))
    ribs = [_on_flank(vehicle, s, s + 0.07, 0.95, shape.roof) for s in (1.5, 3.0, 4.5)]
    item.add(vehicle.skin((0.66, 0.66, 0.65), "flank"), *ribs)
    item.add(vehicle.skin(vehicle.color, "flank"), _on_flank(vehicle, 0.0, cab - 0.25, 1.7, 2.3))
    item.add(vehicle.skin(vehicle.color, "flank"), _on_flank(vehicle, cab, shape.length, 0.45, 2.75))
    item.add(vehicle.skin(_GLASS, "flank"), _on_flank(vehicle, cab + 0.8, shape.length - 0.15, 1.6, 2.4))


def _draw_truck_end(item: Item, vehicle: Placed) -> None:
    shape, half = vehicle.shape, 0.5 * vehicle.shape.width
    if vehicle.end == "nose":
        item.add(vehicle.skin((0.8, 0.8, 0.78), "end"), _on_end(vehicle, -half, half, 2.75, shape.roof))
        item.add(vehicle.skin(shade(_GLASS, 1.2), "end"), _on_end(vehicle, -half + 0.15, half - 0.15, 1.6, 2.5))
        item.add(vehicle.skin((0.13, 0.13, 0.14), "end"), _on_end(vehicle, -0.8, 0.8, 0.95, 1.45))
        return
    item.add(
        vehicle.skin((0.80, 0.80, 0.78), "end"), _on_end(vehicle, -half + 0.06, half - 0.06, 1.0, shape.roof - 0.06)
    )
    item.add(vehicle.skin((0.45, 0.45, 0.45), "end"), _on_end(vehicle, -0.04, 0.04, 1.0, shape.roof - 0.06))
    item.add(vehicle.skin(vehicle.color, "end"), _on_end(vehicle, -half + 0.3, half - 0.3, 2.0, 2.45))
