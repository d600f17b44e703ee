"""The ground: road with its markings, parking strips, verges, pavements with kerbs."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import between, count, happens
from pipeline.sources.streetscapes.layout import FAR, KERB, LANE_WIDTH, PARKING_WIDTH, Layout, Side
from pipeline.sources.streetscapes.shapes import Color, Facing, Polygon, Surface
from pipeline.sources.streetscapes.world import World

_STATIONS = (1.0, 2.0, 4.0, 7.0, 11.0, 17.0, 25.0, 36.0, 50.0, 70.0, 100.0, FAR)
_PAINT: Color = (0.84, 0.84, 0.82)


def draw_ground(world: World, layout: Layout, rng: np.random.Generator) -> None:
    """Paint the ground into the world, wide before narrow."""
    gray = between(rng, 0.3, 0.4)
    road: Color = (gray, gray, gray * between(rng, 1.0, 1.06))
    paint(world, classes.ROAD, road, strip(-90.0, 90.0), relief=0.16)
    paving = between(rng, 0.55, 0.7)
    warmth = between(rng, 0.92, 1.0)
    for side in layout.sides:
        _draw_border(world, layout, side, road, (paving, paving * (1 + warmth) / 2, paving * warmth))
    _draw_wear(world, layout, road, rng)
    _draw_markings(world, layout, rng)
    if layout.junction is not None:
        paint(world, classes.ROAD, road, flat(-90.0, 90.0, *layout.junction), relief=0.16)


def flat(x0: float, x1: float, z0: float, z1: float) -> Polygon:
    """A rectangle on the ground."""
    return [(x0, 0.0, z0), (x1, 0.0, z0), (x1, 0.0, z1), (x0, 0.0, z1)]


def strip(x0: float, x1: float, height: float = 0.0) -> Polygon:
    """A strip along the whole street that follows its bend."""
    return [*[(x0, height, z) for z in _STATIONS], *[(x1, height, z) for z in reversed(_STATIONS)]]


def paint(world: World, class_id: int, color: Color, *polygons: Polygon, relief: float = 0.1) -> None:
    """Flat shapes on the ground."""
    world.ground.add(Surface(class_id, class_id, color, None, Facing.UP, relief), *polygons)


def _draw_border(world: World, layout: Layout, side: Side, road: Color, paving: Color) -> None:
    ground = (0.33, 0.42, 0.2)
    if side.parking_edge > side.road_edge and layout.parking_is_marked:
        tone = (road[0] * 1.22, road[1] * 1.18, road[2] * 1.12)
        paint(world, classes.PARKING, tone, strip(side.x(side.road_edge), side.x(side.parking_edge)), relief=0.16)
    paint(world, classes.SIDEWALK, paving, strip(side.x(side.parking_edge), side.x(side.line + 2.0), KERB), relief=0.1)
    stone = (paving[0] * 0.72, paving[1] * 0.72, paving[2] * 0.72)
    paint(world, classes.SIDEWALK, stone, _kerb_face(side))
    edge = (min(1.0, paving[0] * 1.15), min(1.0, paving[1] * 1.15), min(1.0, paving[2] * 1.15))
    paint(world, classes.SIDEWALK, edge, strip(side.x(side.parking_edge), side.x(side.parking_edge + 0.16), KERB))
    x0, x1 = side.x(side.parking_edge), side.x(side.line)
    joints = [
        [(x0, KERB, z), (x1, KERB, z), (x1, KERB, z + 0.06), (x0, KERB, z + 0.06)]
        for z in np.arange(3.0, 30.0, 1.5).tolist()
    ]
    paint(world, classes.SIDEWALK, (paving[0] * 0.8, paving[1] * 0.8, paving[2] * 0.8), *joints)
    if side.verge_edge > side.parking_edge:
        grass = strip(side.x(side.parking_edge + 0.16), side.x(side.verge_edge), KERB)
        paint(world, classes.TERRAIN, ground, grass, relief=0.35)


def _kerb_face(side: Side) -> Polygon:
    x = side.x(side.parking_edge)
    return [(x, 0.0, z) for z in _STATIONS] + [(x, KERB, z) for z in reversed(_STATIONS)]


def _draw_wear(world: World, layout: Layout, road: Color, rng: np.random.Generator) -> None:
    """Tyre tracks, patches and covers: what makes a road more than gray."""
    tracks = []
    for lane in range(-layout.lanes_oncoming, layout.lanes_ahead):
        for wheel in (-0.8, 0.8):
            x = layout.lane_center(lane) + wheel
            tracks.append(strip(x - 0.22, x + 0.22))
    for track in tracks:
        paint(world, classes.ROAD, (road[0] * 0.92, road[1] * 0.92, road[2] * 0.92), track, relief=0.16)
    left, right = -layout.left.road_edge, layout.right.road_edge
    for _ in range(count(rng, 1, 4)):
        x, z = between(rng, left, right - 1.5), between(rng, 5.0, 30.0)
        tone = between(rng, 0.75, 0.9)
        size = between(rng, 0.7, 2.0)
        patch = flat(x, x + size, z, z + size * between(rng, 0.8, 3.0))
        paint(world, classes.ROAD, (road[0] * tone, road[1] * tone, road[2] * tone), patch, relief=0.16)


def _draw_markings(world: World, layout: Layout, rng: np.random.Generator) -> None:
    left, right = -layout.left.road_edge, layout.right.road_edge
    solid = happens(rng, 0.35)
    lines: list[Polygon] = []
    for boundary in range(-layout.lanes_oncoming, layout.lanes_ahead + 1):
        x = (boundary - 0.5) * LANE_WIDTH
        if boundary in (-layout.lanes_oncoming, layout.lanes_ahead):
            inset = 0.25 if boundary < 0 else -0.25
            lines.append(strip(x + inset - 0.06, x + inset + 0.06))
        elif boundary == 0 and solid:
            lines.append(strip(x - 0.08, x + 0.08))
        else:
            lines.extend(_dashes(x))
    paint(world, classes.ROAD, _PAINT, *lines)
    if layout.parking_is_marked:
        paint(world, classes.PARKING, _PAINT, *_bays(layout))
    if layout.crossing is not None:
        _draw_crossing(world, layout.crossing, left, right)


def _dashes(x: float) -> list[Polygon]:
    return [flat(x - 0.07, x + 0.07, z, z + 3.0) for z in np.arange(2.0, 100.0, 8.0).tolist()]


def _bays(layout: Layout) -> list[Polygon]:
    bays = []
    for side in layout.sides:
        if side.parking_edge > side.road_edge:
            x0, x1 = sorted((side.x(side.road_edge), side.x(side.road_edge + PARKING_WIDTH)))
            bays += [flat(x0, x1, z, z + 0.12) for z in np.arange(4.0, 70.0, 6.0).tolist()]
    return bays


def _draw_crossing(world: World, z: float, left: float, right: float) -> None:
    bars = [flat(x, x + 0.5, z, z + 3.4) for x in np.arange(left + 0.4, right - 0.5, 1.0).tolist()]
    stop = flat(-LANE_WIDTH / 2 + 0.2, right - 0.2, z - 1.6, z - 1.2)
    road = (0.33, 0.33, 0.34)
    paint(world, classes.ROAD, road, flat(left, right, z - 1.8, z + 3.6), relief=0.16)
    paint(world, classes.ROAD, _PAINT, *bars, stop)
