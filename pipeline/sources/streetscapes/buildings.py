"""Houses: facades along the street with rows of windows, shop fronts, end walls."""

from dataclasses import dataclass

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import between, count, happens, pick
from pipeline.sources.streetscapes.layout import KERB, Side
from pipeline.sources.streetscapes.shapes import Color, Facing, Glow, Item, Polygon, Stand, Surface, shade, upright
from pipeline.sources.streetscapes.world import World

FACADES: tuple[Color, ...] = (
    (0.80, 0.72, 0.58), (0.76, 0.66, 0.52), (0.70, 0.46, 0.36), (0.60, 0.36, 0.29), (0.82, 0.80, 0.74),
    (0.66, 0.67, 0.68), (0.78, 0.60, 0.42), (0.60, 0.64, 0.66), (0.72, 0.68, 0.60), (0.55, 0.44, 0.38),
    (0.84, 0.76, 0.64), (0.68, 0.58, 0.50),
)  # fmt: skip
_AWNINGS: tuple[Color, ...] = (
    (0.55, 0.16, 0.14),
    (0.16, 0.30, 0.22),
    (0.18, 0.24, 0.40),
    (0.48, 0.36, 0.2),
    (0.3, 0.3, 0.32),
)
_WARM: tuple[Color, ...] = ((1.0, 0.80, 0.48), (1.0, 0.72, 0.38), (1.0, 0.88, 0.66), (0.86, 0.92, 1.0))
_GLASS: Color = (0.25, 0.31, 0.38)
# What a pane mirrors: rooms, houses opposite, sky.
_GLASSES: tuple[Color, ...] = ((0.20, 0.25, 0.31), (0.30, 0.37, 0.45), (0.44, 0.53, 0.62))
_BARS_UP_TO = 32.0
_WINDOWS_UP_TO = 80.0  # farther windows are smaller than a pixel of the largest picture's texture
_DEPTH = 14.0


@dataclass(frozen=True)
class House:
    """A house on a plot from z0 to z1, its facade on the building line."""

    side: Side
    z0: float
    z1: float
    floors: int
    base: float  # height of the ground floor
    floor: float  # height of the others
    color: Color
    trim: Color
    column: float  # metres from window to window
    glazing: float  # share of a column that is window
    tall: float  # share of a floor that is window

    @property
    def height(self) -> float:
        return self.base + self.floors * self.floor

    @property
    def stand(self) -> Stand:
        x = self.side.x(self.side.line)
        return (x, self.z0, x, self.z1)


def draw_house(world: World, side: Side, z0: float, z1: float, rng: np.random.Generator) -> None:
    """A house on the plot from z0 to z1."""
    color = shade(pick(rng, FACADES), between(rng, 0.88, 1.1))
    trim = shade(color, 1.18) if happens(rng, 0.6) else shade(color, 0.78)
    house = House(
        side, z0, z1, count(rng, 2, 6), between(rng, 3.3, 4.2), between(rng, 2.9, 3.5), color, trim,
        between(rng, 2.1, 3.4), between(rng, 0.38, 0.62), between(rng, 0.45, 0.68),
    )  # fmt: skip
    item = Item(z0)
    _draw_end_wall(item, house)
    _draw_facade(item, house)
    if z0 < _WINDOWS_UP_TO:
        _draw_windows(item, house, rng)
        _draw_ground_floor(item, house, rng)
    world.behind.append(item)


def _facing(side: Side) -> Facing:
    return Facing.RIGHT if side.sign < 0 else Facing.LEFT


def _on_facade(house: House, z0: float, z1: float, y0: float, y1: float) -> Polygon:
    x = house.side.x(house.side.line)
    return [(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)]


def _surface(house: House, color: Color, glow: Glow = Glow.NONE, relief: float = 0.08) -> Surface:
    return Surface(classes.BUILDING, classes.BUILDING, color, house.stand, _facing(house.side), relief, glow)


def _draw_end_wall(item: Item, house: House) -> None:
    x0, x1 = house.side.x(house.side.line), house.side.x(house.side.line + _DEPTH)
    top, ridge = house.height, house.height + 2.2
    middle = house.side.x(house.side.line + _DEPTH / 2)
    wall = [
        (x0, 0.0, house.z0),
        (x0, top, house.z0),
        (middle, ridge, house.z0),
        (x1, top, house.z0),
        (x1, 0.0, house.z0),
    ]
    color = shade(house.color, 0.92)
    item.add(Surface(classes.BUILDING, classes.BUILDING, color, upright(house.z0), Facing.NEAR, 0.1), wall)


def _draw_facade(item: Item, house: House) -> None:
    item.add(_surface(house, house.color), _on_facade(house, house.z0, house.z1, KERB, house.height))
    cornice = _on_facade(house, house.z0, house.z1, house.height - 0.45, house.height)
    band = _on_facade(house, house.z0, house.z1, house.base - 0.15, house.base + 0.15)
    item.add(_surface(house, house.trim), cornice, band)


def _draw_windows(item: Item, house: House, rng: np.random.Generator) -> None:
    columns = max(1, int((house.z1 - house.z0 - 0.8) / house.column))
    pitch = (house.z1 - house.z0) / columns
    half = 0.5 * pitch * house.glazing
    frames: list[Polygon] = []
    dark: list[list[Polygon]] = [[] for _ in _GLASSES]
    bars: list[Polygon] = []
    lit: list[list[Polygon]] = [[] for _ in _WARM]
    glows = rng.random((house.floors, columns))
    for floor in range(house.floors):
        y0 = house.base + floor * house.floor + (1 - house.tall) * house.floor * 0.6
        y1 = y0 + house.tall * house.floor
        for column in range(columns):
            z = house.z0 + (column + 0.5) * pitch
            frames.append(_on_facade(house, z - half - 0.14, z + half + 0.14, y0 - 0.14, y1 + 0.14))
            pane = _on_facade(house, z - half, z + half, y0, y1)
            share = float(glows[floor, column]) / 0.42
            if share < 1:
                lit[int(share * len(_WARM))].append(pane)
            else:
                dark[(floor * 7 + column * 3 + int(share * 40)) % len(_GLASSES)].append(pane)
            if house.z0 < _BARS_UP_TO:
                bars.append(_on_facade(house, z - 0.04, z + 0.04, y0, y1))
    item.add(_surface(house, house.trim), *frames)
    for glass, panes in zip(_GLASSES, dark, strict=True):
        item.add(_surface(house, glass, relief=0.05), *panes)
    for warm, panes in zip(_WARM, lit, strict=True):
        if panes:
            # By day a lit window is glass like any other, with a hint of what is behind it.
            item.add(_surface(house, shade(_blend(_GLASS, warm), 0.8), Glow.WINDOW, 0.1), *panes)
    item.add(_surface(house, shade(house.trim, 0.9)), *bars)


def _blend(a: Color, b: Color) -> Color:
    return (0.75 * a[0] + 0.25 * b[0], 0.75 * a[1] + 0.25 * b[1], 0.75 * a[2] + 0.25 * b[2])


def _draw_ground_floor(item: Item, house: House, rng: np.random.Generator) -> None:
    if happens(rng, 0.55):
        _draw_shop(item, house, rng)
        return
    doors = np.arange(house.z0 + 1.2, house.z1 - 1.2, 5.0).tolist()
    panes = [_on_facade(house, z + 1.8, z + 3.4, 1.0, house.base - 0.9) for z in doors if z + 3.8 < house.z1]
    item.add(_surface(house, (0.27, 0.2, 0.16)), *[_on_facade(house, z, z + 1.1, KERB, 2.4) for z in doors])
    item.add(_surface(house, _GLASS, relief=0.05), *panes)


def _draw_shop(item: Item, house: House, rng: np.random.Generator) -> None:
    """A shop front: sill, windows with goods in them, an awning."""
    awning, bays = pick(rng, _AWNINGS), max(1, round((house.z1 - house.z0) / 3.2))
    pitch, top = (house.z1 - house.z0) / bays, house.base - 0.95
    starts = [house.z0 + bay * pitch for bay in range(bays)]
    item.add(_surface(house, shade(awning, 0.7)), _on_facade(house, house.z0, house.z1, KERB, house.base - 0.2))
    glass = _surface(house, (0.62, 0.54, 0.4), Glow.SHOP) if happens(rng, 0.6) else _surface(house, _GLASS, relief=0.05)
    item.add(glass, *[_on_facade(house, z + 0.25, z + pitch - 0.25, 0.6, top) for z in starts])
    for tone in (0.5, 0.75):
        goods = []
        for z in starts:
            at, high = z + 0.35 + between(rng, 0.0, 0.5) * (pitch - 0.7), 0.65 + between(rng, 0.2, 0.55) * (top - 0.6)
            goods.append(_on_facade(house, at, at + between(rng, 0.25, 0.45) * (pitch - 0.7), 0.65, high))
        item.add(glass._replace(color=shade(glass.color, tone)), *goods)
    item.add(_surface(house, awning), _on_facade(house, house.z0 + 0.2, house.z1 - 0.2, top, house.base - 0.25))
