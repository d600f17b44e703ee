"""A canvas writes what it is told, keeps its table in step, and never touches the scene it began with."""

import base64
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.changes import UNCHANGED, Patch
from label_editing.instance_table import Instance, find_instances
from label_editing.scene import Scene, check_scene


def slow_table(instances: np.ndarray) -> dict[int, Instance]:
    """The obvious way: a mask of the whole map per id."""
    table = {}
    for i in np.unique(instances[instances >= 1000]).tolist():
        rows, columns = np.nonzero(instances == i)
        box = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
        table[i] = Instance(i, box, rows.size)
    return table


def scene_of(catalog: Catalog, rng: np.random.Generator) -> Scene:
    codes = rng.choice([1, 4, 6, 10000, 10001, 12000, 12001, 12, 11003], (rng.integers(1, 12), rng.integers(1, 12)))
    codes = codes.astype(np.int32)
    return Scene(np.where(codes < 1000, codes, codes // 1000).astype(np.uint8), codes, catalog, "random")


@given(st.integers(0, 10**6))
@settings(deadline=None, derandomize=True, max_examples=80)
def test_the_table_is_what_whole_map_masks_give(catalog: Catalog, seed: int) -> None:
    scene = scene_of(catalog, np.random.default_rng(seed))
    assert scene.instances is not None
    assert find_instances(scene.instances) == slow_table(scene.instances)


@given(st.integers(0, 10**6), st.lists(st.sampled_from(["paint", "stuff", "relabel", "flip", "zoom"]), max_size=6))
@settings(deadline=None, derandomize=True, max_examples=120)
def test_the_table_stays_in_step_and_changes_replay(catalog: Catalog, seed: int, steps: list[str]) -> None:
    rng = np.random.default_rng(seed)
    scene = scene_of(catalog, rng)
    before = scene.labels.copy()
    canvas = Canvas(scene)
    assert canvas.table == slow_table(scene.instances)
    for step in steps:
        _do(canvas, step, rng)
        assert canvas.instances is not None
        assert canvas.table == slow_table(canvas.instances)
    result = canvas.scene()
    check_scene(result)
    np.testing.assert_array_equal(scene.labels, before)
    again = Canvas(scene)
    for change in canvas.take_changes():
        again.apply(change)
    np.testing.assert_array_equal(again.scene().labels, result.labels)
    np.testing.assert_array_equal(again.scene().instances, result.instances)


def _do(canvas: Canvas, step: str, rng: np.random.Generator) -> None:
    height, width = canvas.height, canvas.width
    top, left = int(rng.integers(height)), int(rng.integers(width))
    box = Box(top, left, int(rng.integers(top, height)) + 1, int(rng.integers(left, width)) + 1)
    values = [1, 4, 10000, 12000, 12005, 13000]
    if step == "paint":
        canvas.paint(box, rng.choice([UNCHANGED, *values], (box.height, box.width)).astype(np.int32))
    elif step == "stuff":
        size = box.height, box.width
        canvas.paint_stuff(box, rng.choice([1, 4, 6], size).astype(np.uint8), rng.random(size) < 0.3)
    elif step == "relabel":
        canvas.relabel({10000: 12001, 12001: 10000, 4: 6, 11003: 1})
    elif step == "flip":
        canvas.flip()
    else:
        canvas.zoom(box)


def test_relabelling_can_swap_two_classes(catalog: Catalog) -> None:
    codes = np.array([[1, 4, 10000, 12000]], np.int32)
    canvas = Canvas(Scene(np.array([[1, 4, 10, 12]], np.uint8), codes, catalog, "row"))
    canvas.relabel({1: 4, 4: 1, 10000: 12000, 12000: 10000})
    assert canvas.scene().labels.tolist() == [[4, 1, 12, 10]]


def test_a_canvas_that_wrote_nothing_gives_its_scene_back(street: Callable[..., Scene]) -> None:
    scene = street()
    canvas = Canvas(scene)
    canvas.paint(canvas.whole, canvas.codes(canvas.whole))
    assert canvas.scene() is scene
    assert canvas.take_changes() == ()


def test_a_scene_taken_from_a_canvas_does_not_change_later(street: Callable[..., Scene]) -> None:
    canvas = Canvas(street())
    canvas.flip()
    taken = canvas.scene()
    before = taken.labels.copy()
    canvas.paint(Box(0, 0, 2, 2), np.full((2, 2), 1, np.int32))
    np.testing.assert_array_equal(taken.labels, before)


def test_what_is_painted_on_a_fork_shows_only_once_it_is_adopted(street: Callable[..., Scene]) -> None:
    canvas = Canvas(street())
    before = canvas.scene()
    fork = canvas.fork()
    fork.paint(Box(0, 0, 2, 2), np.full((2, 2), 12999, np.int32))
    assert canvas.scene() is before
    assert 12999 not in canvas.table
    canvas.adopt(fork)
    assert canvas.table[12999] == Instance(12999, Box(0, 0, 2, 2), 4)
    assert len(canvas.take_changes()) == 1


def test_a_full_class_has_no_free_id(catalog: Catalog) -> None:
    codes = np.arange(12000, 13000, dtype=np.int32).reshape(10, 100)
    canvas = Canvas(Scene(np.full((10, 100), 12, np.uint8), codes, catalog, "full"))
    with pytest.raises(ValueError, match=r"^all 1000 instance ids of class 'car' are taken; remove some first$"):
        canvas.free_id(12)


@given(st.integers(0, 10**6), st.sampled_from([np.uint8, np.uint16, np.int32]))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_patch_gives_back_what_it_was_made_of(seed: int, kind: type[np.integer]) -> None:
    rng = np.random.default_rng(seed)
    # The largest are more than a patch is made of at once.
    height, width = (rng.integers(1, 9, 2) * rng.choice([1, 70])).tolist()
    codes = rng.choice([3, 4, 200], (height, width)).astype(kind).repeat(3, axis=1)
    where = rng.random(codes.shape) < rng.choice([0.0, 0.5, 1.0])
    patch = Patch.of(Box(0, 0, *codes.shape), codes, where)
    np.testing.assert_array_equal(patch.codes(), np.where(where, codes.astype(np.int32), UNCHANGED))


def test_the_runs_of_a_patch_are_as_long_as_they_can_be() -> None:
    codes = np.full((600, 700), 7, np.uint8)  # of so many pixels, runs are found in several parts
    raw = zlib.decompress(base64.b64decode(Patch.of(Box(0, 0, 600, 700), codes, codes == 7).runs))
    assert np.frombuffer(raw, "<i4").tolist() == [7, 600 * 700]


def _patch_of_ones(box: Box) -> Patch:
    ones = np.ones((box.height, box.width), np.uint8)
    return Patch.of(box, ones, ones == 1)


def test_changes_that_do_not_fit_the_map_are_refused(street: Callable[..., Scene]) -> None:
    canvas = Canvas(street())
    outside = _patch_of_ones(Box(126, 250, 130, 260))
    with pytest.raises(ValueError, match=r"^change at \(126, 250, 130, 260\) lies outside a map of 256x128$"):
        canvas.apply(outside)
    short = Patch(box=Box(0, 0, 3, 3), runs=_patch_of_ones(Box(0, 0, 2, 2)).runs)
    with pytest.raises(ValueError, match=r"^the runs of a patch do not fill its box of 3x3$"):
        canvas.apply(short)
