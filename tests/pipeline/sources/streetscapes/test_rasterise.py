"""From world to pixels: who hides whom, and the same content at every resolution."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.resolution import Resolution
from pipeline.sources.streetscapes import StreetscapesConfig, World, classes, draw_world, rasterise
from pipeline.sources.streetscapes.camera import Camera
from pipeline.sources.streetscapes.layout import draw_camera, draw_layout
from pipeline.sources.streetscapes.shapes import Facing, Item, Surface, rectangle, upright

SMALL = Resolution(256, 128)
CAMERA = Camera(focal=1.0, horizon=0.5, shift=0.0, height=2.0, bend=0.0)
Box = tuple[float, float, float, float, float]  # x0, x1, y0, y1, z


def world_of(boxes: list[Box]) -> World:
    world = World(CAMERA, "day", "clear", 0.5, 0)
    for x0, x1, y0, y1, z in boxes:
        surface = Surface(classes.CAR, world.new_instance(classes.CAR), (0.5, 0.1, 0.1), upright(z), Facing.NEAR)
        item = Item(z)
        item.add(surface, rectangle(x0, x1, y0, y1, z))
        world.street.append(item)
    return world


def nearest_box(boxes: list[Box], resolution: Resolution) -> npt.NDArray[np.int64]:
    """Every pixel's ray against every box: the nearest that it meets, -1 where none."""
    owner = np.full((resolution.height, resolution.width), -1)
    for row in range(resolution.height):
        for column in range(resolution.width):
            u = (column + 0.5 - resolution.width / 2) / resolution.height
            v = (row + 0.5) / resolution.height
            hits = []
            for k, (x0, x1, y0, y1, z) in enumerate(boxes):
                x, y = u * z / CAMERA.focal, CAMERA.height - (v - CAMERA.horizon) * z / CAMERA.focal
                if x0 <= x <= x1 and y0 <= y <= y1:
                    hits.append((z, k))
            owner[row, column] = min(hits)[1] if hits else -1
    return owner


def test_the_nearest_thing_is_seen_as_ray_casting_says() -> None:
    rng = np.random.default_rng(5)
    boxes = []
    for _ in range(12):
        x, z = float(rng.uniform(-8, 8)), float(rng.uniform(5, 30))
        boxes.append((x, x + float(rng.uniform(1, 5)), 0.0, float(rng.uniform(1, 4)), z))
    size = Resolution(96, 48)
    seen = rasterise(world_of(boxes), size, with_image=False).instances
    expected = nearest_box(boxes, size)
    expected = np.where(expected < 0, classes.SKY, classes.CAR * 1000 + expected)
    # Outlines are drawn half a fine pixel thick, so only pixels on them may differ.
    assert (seen == expected).mean() > 0.95
    assert set(np.unique(seen)) == set(np.unique(expected))


@pytest.mark.parametrize("index", range(8))
def test_a_large_picture_shows_what_a_small_one_does(index: int) -> None:
    world = draw_world(np.random.default_rng(index))
    small = rasterise(world, SMALL, with_image=False).labels
    large = rasterise(world, Resolution(1024, 512), with_image=False).labels
    assert (large[2::4, 2::4] == small).mean() > 0.96


def test_the_picture_too_is_the_same_at_every_resolution() -> None:
    world = draw_world(np.random.default_rng(4), "dusk")
    small, large = rasterise(world, SMALL).image, rasterise(world, Resolution(1024, 512)).image
    assert small is not None
    assert large is not None
    averaged = large.reshape(128, 4, 256, 4, 3).mean(axis=(1, 3))
    assert np.abs(averaged - small).mean() < 8.0


def test_a_full_size_scene_has_all_its_pixels() -> None:
    rendered = rasterise(draw_world(np.random.default_rng(1), "night"), Resolution(4096, 2048))
    assert rendered.image is not None
    assert rendered.labels.shape == (2048, 4096)
    assert rendered.image.shape == (2048, 4096, 3)
    assert rendered.labels.dtype == np.uint8
    assert rendered.instances.dtype == np.int32


@pytest.mark.parametrize("size", [Resolution(240, 176), Resolution(64, 64), Resolution(300, 100)])
def test_other_shapes_of_picture_work(size: Resolution) -> None:
    rendered = rasterise(draw_world(np.random.default_rng(2), "night", "fog"), size)
    assert rendered.image is not None
    assert rendered.image.shape == (size.height, size.width, 3)
    assert {classes.ROAD, classes.SKY} <= set(np.unique(rendered.labels).tolist())


def test_every_class_occurs_over_two_hundred_scenes() -> None:
    source = StreetscapesConfig(scenes=200).open()
    scenes_with = dict.fromkeys(classes.ALL, 0)
    for key in source.keys():
        for class_id in np.unique(source.read_scene(key, SMALL).labels).tolist():
            scenes_with[class_id] += 1
    assert set(scenes_with) == set(classes.ALL)
    rare = {classes.BUS, classes.TRUCK, classes.MOTORCYCLE, classes.BICYCLE, classes.RIDER, classes.FENCE}
    assert min(scenes_with[c] for c in rare) >= 40
    always = {classes.ROAD, classes.SIDEWALK, classes.BUILDING, classes.SKY, classes.CAR, classes.PERSON}
    assert min(scenes_with[c] for c in always) >= 190


def foot_points(world: World, class_id: int) -> npt.NDArray[np.float64]:
    """The lowest point of everything of a class on the street."""
    feet = []
    for item in world.street:
        points = [p for part in item.parts for polygon in part.polygons for p in polygon]
        if any(part.surface.class_id == class_id for part in item.parts):
            feet.append(min(points, key=lambda p: p[1]))
    return np.array(feet).reshape(-1, 3)


@pytest.mark.parametrize(
    ("class_id", "ground"),
    [
        (classes.PERSON, {classes.ROAD, classes.SIDEWALK}),
        (classes.CAR, {classes.ROAD, classes.PARKING}),
        (classes.BUS, {classes.ROAD, classes.PARKING}),
    ],
)
def test_whoever_is_on_the_street_has_ground_of_the_right_kind_under_the_feet(class_id: int, ground: set[int]) -> None:
    wrong, right = 0, 0
    for index in range(25):
        world = draw_world(np.random.default_rng(index))
        empty = rasterise(replace(world, street=[], behind=[], border=[]), SMALL, with_image=False).labels
        view = world.camera.project(foot_points(world, class_id))
        columns, rows = (
            (view[:, 0] * SMALL.height + SMALL.width / 2).astype(int),
            (view[:, 1] * SMALL.height).astype(int),
        )
        inside = (columns >= 0) & (columns < SMALL.width) & (rows < SMALL.height)
        under = np.isin(empty[rows[inside], columns[inside]], list(ground))
        right, wrong = right + int(under.sum()), wrong + int((~under).sum())
    assert right > 5
    # A foot on the kerb may fall on the pixel beside it.
    assert wrong <= 0.03 * right


def test_no_vehicle_reaches_into_the_houses() -> None:
    for index in range(60):
        rng = np.random.default_rng(index)
        draw_camera(rng)
        layout = draw_layout(rng)  # what draw_world draws first
        world = draw_world(np.random.default_rng(index))
        vehicles = [i for i in world.street if i.parts[0].surface.class_id in (classes.CAR, classes.BUS, classes.TRUCK)]
        assert vehicles
        xs = [p[0] for item in vehicles for part in item.parts for polygon in part.polygons for p in polygon]
        assert -layout.left.line <= min(xs)
        assert max(xs) <= layout.right.line


def test_the_seen_part_of_a_person_never_reaches_below_the_feet() -> None:
    for index in range(10):
        world = draw_world(np.random.default_rng(index))
        instances = rasterise(world, SMALL, with_image=False).instances
        for item in world.street:
            surface = item.parts[0].surface
            rows = np.nonzero(instances == surface.instance)[0]
            if surface.class_id != classes.PERSON or rows.size == 0:
                continue
            lowest = min(p[1] for part in item.parts for polygon in part.polygons for p in polygon)
            foot = world.camera.project(np.array([(0.0, lowest, item.depth)]))[0, 1] * SMALL.height
            assert rows.max() <= foot + 1.0
