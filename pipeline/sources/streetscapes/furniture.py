"""Street furniture: lamps, traffic lights, signs, bollards, fences."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import between, happens, pick
from pipeline.sources.streetscapes.layout import Side
from pipeline.sources.streetscapes.shapes import (
    Color,
    Facing,
    Glow,
    Item,
    Polygon,
    Shadow,
    Surface,
    bar,
    ellipse,
    rectangle,
    upright,
)  # fmt: skip
from pipeline.sources.streetscapes.world import Lamps, World

_STEEL: Color = (0.42, 0.44, 0.45)
_SIGNAL_COLORS: tuple[Color, Color, Color] = ((1.0, 0.16, 0.1), (1.0, 0.7, 0.12), (0.15, 0.95, 0.45))


def _plain(class_id: int, color: Color, z: float, glow: Glow = Glow.NONE) -> Surface:
    return Surface(class_id, class_id, color, upright(z), Facing.NEAR, 0.04, glow)


def raise_lamps(world: World, side: Side, rng: np.random.Generator) -> None:
    """A row of street lamps along one side."""
    distance = side.verge_edge + 0.45 if side.verge_edge > side.parking_edge else side.parking_edge + 0.45
    lamps = Lamps(side.x(distance - 1.3), between(rng, 5.6, 7.0), between(rng, 15.0, 22.0), between(rng, 7.0, 14.0))
    color = pick(rng, (_STEEL, (0.2, 0.25, 0.22), (0.3, 0.3, 0.32)))
    for z in np.arange(lamps.first, 90.0, lamps.spacing).tolist():
        _raise_lamp(world, side.x(distance), lamps, z, color)
    world.lamps.append(lamps)


def _raise_lamp(world: World, x: float, lamps: Lamps, z: float, color: Color) -> None:
    item = Item(z)
    pole = _plain(classes.POLE, color, z)
    item.add(pole, rectangle(x - 0.09, x + 0.09, 0.0, lamps.height, z))
    item.add(pole, rectangle(x - 0.15, x + 0.15, 0.0, 0.9, z))
    item.add(pole, bar(x, lamps.height - 0.1, lamps.x, lamps.height + 0.25, 0.14, z))
    item.add(pole, rectangle(lamps.x - 0.45, lamps.x + 0.45, lamps.height + 0.15, lamps.height + 0.36, z))
    item.add(
        _plain(classes.POLE, (1.0, 0.82, 0.55), z, Glow.LAMP),
        rectangle(lamps.x - 0.38, lamps.x + 0.38, lamps.height, lamps.height + 0.16, z),
    )
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.15, x + 0.15, z - 0.15, z + 0.15, lamps.height))


def raise_signal(world: World, x: float, z: float, rng: np.random.Generator) -> None:
    """A traffic light on its pole."""
    item = Item(z)
    top = between(rng, 2.9, 3.6)
    item.add(_plain(classes.POLE, _STEEL, z), rectangle(x - 0.08, x + 0.08, 0.0, top, z))
    item.add(
        _plain(classes.TRAFFIC_LIGHT, (0.11, 0.12, 0.12), z), rectangle(x - 0.24, x + 0.24, top - 0.5, top + 0.75, z)
    )
    lit = pick(rng, (0, 0, 1, 2, 2))
    for place, color in enumerate(_SIGNAL_COLORS):
        on = place == lit
        shown: Color = color if on else (color[0] * 0.25, color[1] * 0.25, color[2] * 0.25)
        lens = ellipse(x, top + 0.52 - 0.38 * place, z - 0.01, 0.16, 0.16)
        item.add(_plain(classes.TRAFFIC_LIGHT, shown, z, Glow.SIGNAL if on else Glow.NONE), lens)
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.15, x + 0.15, z - 0.15, z + 0.15, top))


def raise_sign(world: World, x: float, z: float, rng: np.random.Generator) -> None:
    """A traffic sign on its pole: prohibition, warning, priority or direction."""
    item = Item(z)
    top = between(rng, 2.2, 3.0)
    item.add(_plain(classes.POLE, _STEEL, z), rectangle(x - 0.05, x + 0.05, 0.0, top, z))
    red, white, blue, yellow = (0.78, 0.1, 0.1), (0.93, 0.93, 0.92), (0.1, 0.28, 0.66), (0.95, 0.76, 0.12)
    kind = pick(rng, ("round", "round", "warning", "priority", "mandatory", "direction"))
    plate, stripe = (
        rectangle(x - 0.7, x + 0.7, top - 0.3, top + 0.35, z),
        rectangle(x - 0.55, x + 0.4, top, top + 0.1, z),
    )
    bar_up = rectangle(x - 0.05, x + 0.05, top - 0.2, top + 0.2, z)
    faces: dict[str, list[tuple[Color, Polygon]]] = {
        "round": [(red, ellipse(x, top, z, 0.4, 0.4)), (white, ellipse(x, top, z, 0.27, 0.27))],
        "warning": [(red, _triangle(x, top, z, 0.48)), (white, _triangle(x, top - 0.03, z, 0.26))],
        "priority": [(white, _diamond(x, top, z, 0.45)), (yellow, _diamond(x, top, z, 0.31))],
        "mandatory": [(blue, ellipse(x, top, z, 0.4, 0.4)), (white, bar_up)],
        "direction": [(blue, plate), (white, stripe)],
    }  # fmt: skip
    for color, polygon in faces[kind]:
        item.add(_plain(classes.TRAFFIC_SIGN, color, z, Glow.REFLECTOR), polygon)
    world.street.append(item)


def _triangle(x: float, y: float, z: float, radius: float) -> Polygon:
    return [(x, y + radius, z), (x + 0.87 * radius, y - 0.5 * radius, z), (x - 0.87 * radius, y - 0.5 * radius, z)]


def _diamond(x: float, y: float, z: float, radius: float) -> Polygon:
    return [(x, y + radius, z), (x + radius, y, z), (x, y - radius, z), (x - radius, y, z)]


def raise_bollard(world: World, x: float, z: float) -> None:
    """A bollard with its white band."""
    item = Item(z)
    item.add(_plain(classes.POLE, (0.24, 0.25, 0.26), z), rectangle(x - 0.08, x + 0.08, 0.0, 0.95, z))
    item.add(_plain(classes.POLE, (0.85, 0.85, 0.83), z, Glow.REFLECTOR), rectangle(x - 0.08, x + 0.08, 0.68, 0.8, z))
    world.street.append(item)
    world.shadows.append(Shadow(x - 0.1, x + 0.1, z - 0.1, z + 0.1, 0.9))


def raise_fence(world: World, side: Side, z0: float, z1: float, rng: np.random.Generator) -> None:
    """A fence along the building line: a low wall or rails with pickets."""
    x = side.x(side.line - 0.05)
    color = pick(rng, ((0.2, 0.24, 0.22), (0.45, 0.33, 0.22), (0.36, 0.38, 0.4), (0.62, 0.6, 0.56)))
    facing = Facing.RIGHT if side.sign < 0 else Facing.LEFT
    height = between(rng, 1.0, 1.5)
    solid = happens(rng, 0.6)

    def panel(a: float, b: float, low: float, high: float) -> Polygon:
        return [(x, low, a), (x, low, b), (x, high, b), (x, high, a)]

    for start in np.arange(z0, z1 - 0.1, 8.0).tolist():
        end = min(start + 8.0, z1)
        item = Item(start)
        surface = Surface(classes.FENCE, classes.FENCE, color, (x, start, x, end), facing, 0.08)
        dark = surface._replace(color=(color[0] * 0.7, color[1] * 0.7, color[2] * 0.7))
        if solid:
            item.add(dark, panel(start, end, 0.1, height - 0.05))
        posts = np.arange(start, end, 0.55).tolist()
        item.add(surface, *[panel(z, z + 0.22, 0.1, height) for z in posts])
        item.add(surface, panel(start, end, height - 0.22, height - 0.06))
        item.add(surface, panel(start, end, 0.25, 0.4))
        world.border.append(item)
