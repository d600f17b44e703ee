"""Trees and parks."""

import numpy as np

from pipeline.sources.streetscapes import classes
from pipeline.sources.streetscapes.chance import between, count, happens, pick
from pipeline.sources.streetscapes.layout import Side
from pipeline.sources.streetscapes.shapes import (
    Color,
    Facing,
    Item,
    Shadow,
    Surface,
    bar,
    ellipse,
    lump,
    rectangle,
    shade,
    upright,
)
from pipeline.sources.streetscapes.world import World

_LEAVES: tuple[Color, ...] = (
    (0.24, 0.36, 0.14),
    (0.28, 0.40, 0.15),
    (0.20, 0.33, 0.17),
    (0.36, 0.40, 0.15),
    (0.46, 0.36, 0.14),
)


def grow_tree(world: World, layer: list[Item], x: float, z: float, rng: np.random.Generator) -> None:
    """A tree: a trunk, and a crown of lumps that are lighter towards the top."""
    height = between(rng, 5.0, 9.0)
    spread = height * between(rng, 0.2, 0.3)
    crown = height - spread * 1.1
    leaves = shade(pick(rng, _LEAVES), between(rng, 0.85, 1.15))
    item = Item(z)
    bark = Surface(classes.VEGETATION, classes.VEGETATION, (0.27, 0.21, 0.16), upright(z), Facing.ROUND, 0.25)
    item.add(bark, bar(x, 0.0, x + 0.1, crown, 0.32, z))
    item.add(bark, bar(x, crown * 0.7, x + spread * 0.5, crown, 0.14, z))
    # Near trees show their outline: more, smaller and rounder lumps. Far ones are a few pixels.
    outline = ellipse if z < 22.0 else lump
    more = 5 if z < 22.0 else (0 if z < 40.0 else -2)
    for tone, lift, size, lumps in ((0.68, -0.25, 1.0, 4), (0.9, 0.05, 0.85, 4), (1.15, 0.35, 0.6, 3)):
        surface = Surface(classes.VEGETATION, classes.VEGETATION, shade(leaves, tone), upright(z), Facing.ROUND, 0.55)
        for angle in (rng.random(lumps + more) * 6.283).tolist():
            away = spread * 0.62 * size
            cx = x + away * float(np.cos(angle)) - 0.12 * spread * lift
            cy = crown + spread * lift + away * 0.8 * float(np.sin(angle))
            radius = spread * size * between(rng, 0.42, 0.68) - 0.02 * more * size
            item.add(surface, outline(cx, cy, z, radius, radius * 0.9))
    layer.append(item)
    world.shadows.append(Shadow(x - spread * 0.5, x + spread * 0.5, z - 0.6, z + 0.6, height * 0.6))


def plant_park(world: World, side: Side, z0: float, z1: float, rng: np.random.Generator) -> None:
    """Grass, bushes and trees from z0 to z1 beyond the pavement."""
    lawn = Item(z1)
    grass = Surface(classes.TERRAIN, classes.TERRAIN, (0.35, 0.45, 0.19), None, Facing.UP, 0.35)
    near, far = side.x(side.line), side.x(side.line + 80.0)
    lawn.add(grass, [(near, 0.1, z0), (near, 0.1, z1), (far, 0.1, z1), (far, 0.1, z0)])
    world.behind.append(lawn)
    _raise_hedge(world, side, z1, rng)
    for z in _rows(z0, z1, between(rng, 4.0, 6.0)):
        distance = side.line + between(rng, 2.0, 5.0)
        grow_tree(world, world.behind, side.x(distance), z, rng)
        if happens(rng, 0.4):
            grow_tree(world, world.behind, side.x(distance + between(rng, 6.0, 16.0)), z + 0.5, rng)
    for _ in range(count(rng, 1, 3)):
        _plant_bush(world, side.x(side.line + between(rng, 1.5, 4.0)), between(rng, z0 + 0.5, z1), rng)


def _rows(near: float, far: float, pitch: float) -> list[float]:
    """Depths from far to near, wider apart where trees hide each other anyway."""
    depths = [near + 1.0]
    while depths[-1] < far - 1.0:
        depths.append(depths[-1] + pitch * (1.0 + depths[-1] / 50.0))
    return depths[-2::-1]


def _raise_hedge(world: World, side: Side, z: float, rng: np.random.Generator) -> None:
    """The far side of a park: a dark belt of trees."""
    item = Item(z + 0.5)
    color = shade(pick(rng, _LEAVES), 0.62)
    surface = Surface(classes.VEGETATION, classes.VEGETATION, color, upright(z), Facing.ROUND, 0.5)
    x0, x1 = sorted((side.x(side.line + 3.0), side.x(side.line + 60.0)))
    item.add(surface, rectangle(x0, x1, 0.0, between(rng, 2.5, 4.5), z))
    for x in np.arange(x0, x1, 6.0).tolist():
        item.add(surface, lump(x, between(rng, 3.0, 5.0), z, between(rng, 3.4, 4.8), between(rng, 1.8, 3.2)))
    world.behind.append(item)


def _plant_bush(world: World, x: float, z: float, rng: np.random.Generator) -> None:
    item = Item(z)
    color = shade(pick(rng, _LEAVES), 0.9)
    for tone, lift in ((0.75, 0.5), (1.05, 0.8)):
        surface = Surface(classes.VEGETATION, classes.VEGETATION, shade(color, tone), upright(z), Facing.ROUND, 0.5)
        for _ in range(2):
            item.add(
                surface, lump(x + between(rng, -0.7, 0.7), lift, z, between(rng, 0.5, 0.9), between(rng, 0.4, 0.6))
            )
    world.behind.append(item)
