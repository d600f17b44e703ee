"""What all vehicles share: measures, how they stand on the road and what of them is seen, wheels and lights."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.shapes import CIRCLE, Color, Facing, Glow, Item, Polygon, Stand, Surface

Heading = Literal["ahead", "oncoming", "rightward", "leftward"]

_TYRE: Color = (0.07, 0.07, 0.075)
_RIM: Color = (0.5, 0.51, 0.53)
GLASS: Color = (0.15, 0.19, 0.23)
BUMPER: Color = (0.16, 0.16, 0.17)


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


class Vehicle(NamedTuple):
    """A vehicle before it is anywhere."""

    shape: Shape
    color: Color
    lit: bool = True  # a parked car's lights are off


@dataclass(frozen=True)
class Placed:
    """A vehicle on the road: x of its middle, z of its near edge."""

    shape: Shape
    x: float
    z: float
    heading: Heading
    color: Color
    instance: int
    lit: bool
    across: float  # where the bend has moved it: what decides which flank is seen

    @property
    def along(self) -> bool:
        return self.heading in ("ahead", "oncoming")

    def at(self, s: float, t: float, y: float) -> tuple[float, float, float]:
        """The world point s metres from the tail, t metres off its middle line, y metres up."""
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


def on_flank(vehicle: Placed, s0: float, s1: float, y0: float, y1: float) -> Polygon:
    """A rectangle on the long side that the camera sees."""
    t = vehicle.flank or 0.0
    return [vehicle.at(s0, t, y0), vehicle.at(s1, t, y0), vehicle.at(s1, t, y1), vehicle.at(s0, t, y1)]


def on_end(vehicle: Placed, t0: float, t1: float, y0: float, y1: float) -> Polygon:
    """A rectangle on the short side that the camera sees."""
    s = vehicle.shape.length if vehicle.end == "nose" else 0.0
    return [vehicle.at(s, t0, y0), vehicle.at(s, t1, y0), vehicle.at(s, t1, y1), vehicle.at(s, t0, y1)]


def draw_wheels(item: Item, vehicle: Placed) -> None:
    """The wheels of the flank, and under the end the tyres of its axle."""
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


def _wheel(vehicle: Placed, s: float, radius: float) -> Polygon:
    t = vehicle.flank or 0.0
    return [vehicle.at(s + radius * cos, t, vehicle.shape.wheel + radius * sin) for cos, sin in CIRCLE]


def draw_lights(item: Item, vehicle: Placed, half: float, y: float, height: float, width: float) -> None:
    """Head or tail lights at both edges of the end."""
    nose = vehicle.end == "nose"
    glow = Glow.NONE
    if vehicle.lit:
        glow = Glow.HEADLIGHT if nose else Glow.TAILLIGHT
    color = (0.96, 0.95, 0.88) if nose else (0.72, 0.08, 0.07)
    lamps = [on_end(vehicle, -half + 0.06, -half + 0.06 + width, y, y + height)]
    lamps.append(on_end(vehicle, half - 0.06 - width, half - 0.06, y, y + height))
    item.add(vehicle.skin(color, "end", glow), *lamps)
