"""Moving, scaling, mirroring, zooming, painting, choosing and repeating do what they say."""

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import TypeAdapter

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.edits import AnyEdit, Edit, EditContext, EditRecord, every_edit
from label_editing.scene import Scene

_PARSE = TypeAdapter[Edit](AnyEdit)


def apply(
    scene: Scene, form: dict[str, object], seed: int = 0, context: EditContext | None = None
) -> tuple[Scene, EditRecord]:
    return _PARSE.validate_python(form).apply(scene, context or EditContext(), np.random.default_rng(seed))


def test_a_moved_object_keeps_its_id_and_takes_the_height_of_its_new_place(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512, cars=5)
    before = Canvas(scene).table
    moved = 0
    for seed in range(10):
        after, record = apply(scene, {"op": "move_instances", "classes": ["car"], "count": 1}, seed)
        for described in record.parameters.get("moved", []):
            moved += 1
            instance, (foot, _) = Canvas(after).table[described["id"]], described["to"]
            assert sorted(Canvas(after).table) == sorted(before)
            horizon = 0.4 * scene.height
            expected = before[instance.id].height * (foot - horizon) / (described["from"][0] - horizon)
            assert described["height_px"] == pytest.approx(expected, abs=3)
            assert instance.foot_row == foot
    assert moved >= 5


def test_a_scaled_object_keeps_its_foot_row(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512, cars=5)
    form = {"op": "resize_instances", "classes": ["car"], "scale": [0.5, 0.5]}
    after, record = apply(scene, form)
    before = Canvas(scene).table
    assert record.instances
    for touched in record.instances:
        old = before[touched.id]
        assert touched.box.bottom == old.box.bottom
        assert touched.box.height == pytest.approx(old.height / 2, abs=1)
    assert Canvas(after).table.keys() == before.keys()


def test_mirroring_twice_gives_the_scene_back(street: Callable[..., Scene]) -> None:
    scene = street()
    once, _ = apply(scene, {"op": "mirror"})
    np.testing.assert_array_equal(once.labels, scene.labels[:, ::-1])
    twice, _ = apply(once, {"op": "mirror"})
    np.testing.assert_array_equal(twice.labels, scene.labels)
    np.testing.assert_array_equal(twice.instances, scene.instances)


def test_mirroring_leaves_the_own_bonnet_where_it_is(street: Callable[..., Scene]) -> None:
    scene = street()
    labels, codes = scene.labels.copy(), np.array(scene.instances)
    labels[110:, 20:90], codes[110:, 20:90] = 3, 3
    after, _ = apply(scene.with_maps(labels, codes), {"op": "mirror"})
    np.testing.assert_array_equal(after.labels == 3, labels == 3)
    assert (after.labels[110:, 166:236] != 0).all()


def test_mirror_keeps_only_stuff(street: Callable[..., Scene]) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        apply(street(), {"op": "mirror", "keep": ["car"]})
    assert str(raised.value) == "mirror keeps 'car': only stuff classes can stay where they are"


def test_a_crop_is_its_window_enlarged(street: Callable[..., Scene]) -> None:
    scene = street()
    after, record = apply(scene, {"op": "crop_scene", "zoom": [2, 2]}, seed=3)
    top, left, bottom, right = record.parameters["box"]
    assert (bottom - top, right - left) == (64, 128)
    np.testing.assert_array_equal(after.labels[::2, ::2], scene.labels[top:bottom, left:right])


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"op": "crop_scene", "zoom": [0.5, 2]}, "zoom [0.5, 2]: expected 1 <= least <= most <= 16"),
        (
            {"op": "resize_instances", "classes": ["car"], "scale": [0, 1]},
            "scale [0, 1]: expected 0 < least <= most <= 10",
        ),
        ({"op": "one_of", "edits": [{"op": "mirror"}], "weights": [1, 2]}, "2 weights for 1 edits"),
        (
            {"op": "one_of", "edits": [{"op": "mirror"}], "weights": [0]},
            "weights [0.0]: expected none below 0 and one above",
        ),
        ({"op": "repeat", "edit": {"op": "mirror"}, "times": [2, 1]}, "count [2, 1]: the least is above the most"),
        ({"op": "replace_region"}, "give a polygon, classes, or both"),
        ({"op": "mirorr"}, "does not match any of the expected tags"),
    ],
)
def test_fields_that_make_no_sense_are_refused(form: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        _PARSE.validate_python(form)
    assert message in str(raised.value)


def test_a_region_comes_from_another_scene_with_the_horizons_aligned(street: Callable[..., Scene]) -> None:
    scene, other = street(height=256, width=512, cars=6), street(height=256, width=512, cars=6, key="other")
    labels, codes = other.labels.copy(), np.array(other.instances)
    for array in (labels, codes):
        array[:-10] = array[10:].copy()  # the other camera looks ten rows further down
        array[:60, 100:140] = 5
    context = EditContext(scenes=(scene, other.with_maps(labels, codes)))
    after, record = apply(scene, {"op": "replace_region", "classes": ["sky", "building", "vegetation"]}, 0, context)
    assert record.parameters["other"] == "other"
    assert record.parameters["shift"] == pytest.approx(10, abs=2)
    assert (after.labels[20:60, 105:135] == 5).mean() > 0.9
    np.testing.assert_array_equal(after.labels == 12, scene.labels == 12)


def test_without_another_scene_no_region_is_replaced(street: Callable[..., Scene]) -> None:
    scene = street()
    after, record = apply(scene, {"op": "replace_region", "classes": ["sky"]}, 0, EditContext(scenes=(scene,)))
    assert after is scene
    assert record.reason == "no other scene of this size and catalog to take a region from"


def test_paint_fills_the_polygon_corners_included(street: Callable[..., Scene]) -> None:
    form = {"op": "paint", "polygon": [[10, 20], [19, 20], [19, 24], [10, 24]], "class": "car"}
    after, record = apply(street(), form)
    assert [(i.id, tuple(i.box), i.area) for i in record.instances] == [(12004, (20, 10, 25, 20), 50)]
    assert (after.labels[20:25, 10:20] == 12).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"polygon": [[0, 0], [256, 5], [3, 9]], "class": "road"},
            "polygon corner [256, 5] lies outside a map of 256x128",
        ),
        (
            {"polygon": [[0, 0], [5, 5], [3, 9]], "class": "road", "instance": 1000},
            "paint of 'road' as instance 1000: a stuff class has none",
        ),
        (
            {"polygon": [[0, 0], [5, 5], [3, 9]], "class": "car", "instance": 10000},
            "paint of 'car' as instance 10000: that is none of its ids",
        ),
    ],
)
def test_paint_refuses_what_does_not_fit(street: Callable[..., Scene], fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        apply(street(), {"op": "paint", **fields})
    assert str(raised.value) == message


def test_set_class_gives_a_free_id_of_the_new_class(street: Callable[..., Scene], catalog: Catalog) -> None:
    after, _ = apply(street(), {"op": "set_class", "instance": 12001, "class": "person"})
    assert sorted(Canvas(after).table) == [10000, 10001, 10002, 12000, 12002, 12003]


def test_one_of_draws_by_weight(street: Callable[..., Scene]) -> None:
    form = {"op": "one_of", "edits": [{"op": "mirror"}, {"op": "crop_scene"}], "weights": [0, 1]}
    drawn = {apply(street(), form, seed)[1].children[0].op for seed in range(20)}
    assert drawn == {"crop_scene"}
    both = {apply(street(), {**form, "weights": [1, 1]}, seed)[1].children[0].op for seed in range(20)}
    assert both == {"mirror", "crop_scene"}


def test_repeat_removes_one_after_the_other(street: Callable[..., Scene]) -> None:
    form = {"op": "repeat", "edit": {"op": "remove_instances", "classes": ["car"], "count": 1}, "times": 3}
    after, record = apply(street(cars=4), form)
    assert len({child.instances[0].id for child in record.children}) == 3
    assert sum(i // 1000 == 12 for i in Canvas(after).table) == 1


def test_nested_edits_and_their_classes_are_seen() -> None:
    inner = {"op": "one_of", "edits": [{"op": "add_instances", "class": "car"}, {"op": "mirror", "keep": ["sky"]}]}
    edit = _PARSE.validate_python({"op": "repeat", "edit": inner, "times": 2})
    assert [e.op for e in every_edit([edit])] == ["repeat", "one_of", "add_instances", "mirror"]
    assert edit.class_names() == ("car", "sky")
