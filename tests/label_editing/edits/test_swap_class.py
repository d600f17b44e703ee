"""Swapping keeps instance ids valid, whichever way it goes."""

from collections.abc import Callable

import numpy as np
import pytest

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.edits.base import EditContext, EditRecord
from label_editing.edits.swap_class import SwapClass
from label_editing.scene import Scene


def swap(scene: Scene, seed: int = 0, **fields: object) -> tuple[Scene, EditRecord]:
    return SwapClass.model_validate(fields).apply(scene, EditContext(), np.random.default_rng(seed))


def row(catalog: Catalog, *codes: int) -> Scene:
    array = np.array([codes], np.int32)
    return Scene(np.where(array < 1000, array, array // 1000).astype(np.uint8), array, catalog, "row")


def test_a_thing_that_becomes_stuff_loses_its_instance_id(catalog: Catalog) -> None:
    after, _ = swap(row(catalog, 12000, 12001, 12, 1), **{"from": "car", "to": "building"})
    assert after.instances is not None
    assert after.instances.tolist() == [[4, 4, 4, 1]]
    assert after.labels.tolist() == [[4, 4, 4, 1]]


def test_stuff_that_becomes_a_thing_is_an_instance_per_region(catalog: Catalog) -> None:
    after, record = swap(row(catalog, 4, 4, 1, 4, 12000, 1), **{"from": "building", "to": "car"})
    assert after.instances is not None
    assert after.instances.tolist() == [[12001, 12001, 1, 12002, 12000, 1]]
    assert [(i.id, i.what) for i in record.instances] == [(12001, "added"), (12002, "added")]


def test_a_thing_that_becomes_another_keeps_its_number_where_it_is_free(catalog: Catalog) -> None:
    after, _ = swap(row(catalog, 12003, 12005, 10003), **{"from": "car", "to": "person"})
    assert after.instances is not None
    assert after.instances.tolist() == [[10000, 10005, 10003]]


def test_only_instances_within_the_limits_change(catalog: Catalog) -> None:
    scene = row(catalog, 12000, 12001, 12001, 12001, 1)
    after, _ = swap(scene, **{"from": "car", "to": "person", "where": {"min_area_px": 2}})
    assert after.labels.tolist() == [[12, 10, 10, 10, 1]]


def test_a_fraction_of_the_instances_changes(street: Callable[..., Scene]) -> None:
    counts = set()
    for seed in range(8):
        after, _ = swap(street(cars=5), seed, **{"from": "car", "to": "person", "fraction": 0.5})
        counts.add(sum(i // 1000 == 12 for i in Canvas(after).table))
    assert counts == {2, 3}


def test_stuff_swaps_in_a_scene_without_instances(catalog: Catalog) -> None:
    scene = Scene(np.array([[4, 1]], np.uint8), None, catalog, "bare")
    after, _ = swap(scene, **{"from": "building", "to": "sky"})
    assert after.labels.tolist() == [[6, 1]]
    assert after.instances is None


def test_a_class_that_is_not_there_leaves_the_scene(catalog: Catalog) -> None:
    scene = row(catalog, 1, 4)
    after, record = swap(scene, **{"from": "sky", "to": "building"})
    assert after is scene
    assert (record.applied, record.reason) == (False, "no sky to change")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("car", "unlabeled", "swap_class to 'unlabeled': a void class is never a target"),
        ("car", "ego vehicle", "swap_class to 'ego vehicle': a void class is never a target"),
        ("cra", "road", "unknown class 'cra'; did you mean 'car'? (catalog small)"),
        ("car", "raod", "unknown class 'raod'; did you mean 'road'? (catalog small)"),
    ],
)
def test_swap_class_refuses_what_is_no_target(catalog: Catalog, old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        swap(row(catalog, 12000), **{"from": old, "to": new})
    assert str(raised.value) == message
