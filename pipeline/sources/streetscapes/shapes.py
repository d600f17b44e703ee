"""What a street world is made of: items that stand at a depth, built of flat parts with a surface each."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

Color = tuple[float, float, float]  # sRGB, 0..1
Point = tuple[float, float, float]  # metres: x right, y up, z ahead
Polygon = list[Point]
# The vertical plane over the ground line from (x, z) to (x, z); None is the ground itself.
Stand = tuple[float, float, float, float] | None


class Facing(IntEnum):
    """Where a surface looks: what sun and sky reach of it."""

    UP = 0
    LEFT = 1
    RIGHT = 2
    NEAR = 3
    ROUND = 4  # foliage, clothes: light from everywhere


class Glow(IntEnum):
    """What makes a surface shine by itself; how much depends on the hour."""

    NONE = 0
    WINDOW = 1
    SHOP = 2
    HEADLIGHT = 3
    TAILLIGHT = 4
    LAMP = 5
    SIGNAL = 6
    REFLECTOR = 7  # signs and plates throw headlights back


class Surface(NamedTuple):
    """How the pixels of a part are labelled and lit."""

    class_id: int
    instance: int  # class*1000+k on things, the class id on stuff
    color: Color
    stand: Stand
    facing: Facing
    relief: float = 0.05  # strength of the texture
    glow: Glow = Glow.NONE


class Part(NamedTuple):
    """Polygons of one surface. They may touch, but not overlap: an overlap would be a hole."""

    surface: Surface
    polygons: list[Polygon]


@dataclass
class Item:
    """One thing of the world with its parts in painting order; items are painted from far to near within a layer."""

    depth: float
    parts: list[Part] = field(default_factory=list)

    def add(self, surface: Surface, *polygons: Polygon) -> None:
        """One more part, painted over those before it."""
        self.parts.append(Part(surface, list(polygons)))


class Shadow(NamedTuple):
    """What an object keeps the light from: its footprint, and its height for the shadow that the sun casts."""

    left: float
    right: float
    near: float
    far: float
    height: float
    base: float = 0.0  # of the ground it lies on


def upright(z: float) -> Stand:
    """The plane of something that faces the camera at depth z."""
    return (-1.0, z, 1.0, z)


def shade(color: Color, factor: float) -> Color:
    """The colour, darker or lighter."""
    return (min(1.0, color[0] * factor), min(1.0, color[1] * factor), min(1.0, color[2] * factor))


def rectangle(x0: float, x1: float, y0: float, y1: float, z: float) -> Polygon:
    """An upright rectangle at depth z."""
    return [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]


# Twelve corners read as round at every size these shapes are seen in.
CIRCLE = (
    (1.0, 0.0), (0.866, 0.5), (0.5, 0.866), (0.0, 1.0), (-0.5, 0.866), (-0.866, 0.5),
    (-1.0, 0.0), (-0.866, -0.5), (-0.5, -0.866), (0.0, -1.0), (0.5, -0.866), (0.866, -0.5),
)  # fmt: skip


def ellipse(x: float, y: float, z: float, radius_x: float, radius_y: float) -> Polygon:
    """An upright ellipse at depth z."""
    return [(x + radius_x * cos, y + radius_y * sin, z) for cos, sin in CIRCLE]


_LUMP = ((1.0, 0.3), (0.75, 0.78), (0.2, 1.0), (-0.55, 0.85), (-1.0, 0.25), (-0.8, -0.6), (-0.1, -1.0), (0.65, -0.8))


def lump(x: float, y: float, z: float, radius_x: float, radius_y: float) -> Polygon:
    """An upright, not quite round shape at depth z: leaves."""
    return [(x + radius_x * cos, y + radius_y * sin, z) for cos, sin in _LUMP]


def bar(x0: float, y0: float, x1: float, y1: float, width: float, z: float) -> Polygon:
    """A thick upright line at depth z."""
    dx, dy = x1 - x0, y1 - y0
    scale = 0.5 * width / max((dx * dx + dy * dy) ** 0.5, 1e-6)
    nx, ny = -dy * scale, dx * scale
    return [(x0 + nx, y0 + ny, z), (x1 + nx, y1 + ny, z), (x1 - nx, y1 - ny, z), (x0 - nx, y0 - ny, z)]
