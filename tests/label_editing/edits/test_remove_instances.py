"""What is removed is gone, with what belongs to it, and leaves only background."""

from collections.abc import Callable

import numpy as np
import pytest

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.edits.base import EditContext, EditRecord, EditRefused
from label_editing.edits.drop import Drop
from label_editing.edits.remove_instances import RemoveInstances
from label_editing.scene import Scene


def remove(scene: Scene, seed: int = 0, **fields: object) -> tuple[Scene, EditRecord]:
    return RemoveInstances.model_validate(fields).apply(scene, EditContext(), np.random.default_rng(seed))


def test_nothing_of_a_removed_instance_remains_and_the_others_stay_as_they_were(street: Callable[..., Scene]) -> None:
    scene = street()
    after, record = remove(scene, classes=["car"], count=2)
    gone = {i.id for i in record.instances}
    assert len(gone) == 2
    before_table, after_table = Canvas(scene).table, Canvas(after).table
    assert after_table == {i: instance for i, instance in before_table.items() if i not in gone}


def test_an_emptied_street_is_the_street_without_cars(street: Callable[..., Scene]) -> None:
    after, _ = remove(street(height=256, width=512), classes=["car", "person"])
    bare = street(height=256, width=512, cars=0, persons=0)
    assert np.mean(after.labels == bare.labels) > 0.985


def test_a_rider_goes_with_its_bicycle_and_other_bicycles_stay(catalog: Catalog) -> None:
    labels = np.full((60, 100), 1, np.uint8)
    instances = labels.astype(np.int32)
    for window, code in (
        (np.s_[40:52, 16:34], 13000),
        (np.s_[24:46, 20:30], 11000),
        (np.s_[40:52, 70:88], 13001),
    ):
        labels[window], instances[window] = code // 1000, code
    after, record = remove(Scene(labels, instances, catalog, "ride"), classes=["rider"])
    assert [i.id for i in record.instances] == [11000, 13000]
    assert list(Canvas(after).table) == [13001]


def test_instances_are_chosen_by_distance(street: Callable[..., Scene]) -> None:
    scene = street(height=512, width=1024, cars=6)
    _, near = remove(scene, classes=["car"], where={"max_distance_m": 12})
    _, far = remove(scene, classes=["car"], where={"min_distance_m": 12})
    assert len(near.instances) + len(far.instances) == 6
    assert min(i.box.bottom for i in near.instances) > max(i.box.bottom for i in far.instances)


def test_a_required_removal_of_nothing_asks_for_another_scene(street: Callable[..., Scene]) -> None:
    with pytest.raises(EditRefused) as raised:
        remove(street(), classes=["rider"], required=True)
    assert str(raised.value) == "required edit 'remove_instances' does not apply: no rider to choose from"
    assert not raised.value.record.applied


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"count": -1}, "Input should be greater than or equal to 0"),
        ({"count": [3, 1]}, "count [3, 1]: the least is above the most"),
        ({"count": 2, "fraction": 0.5}, "give either count or fraction, not both"),
        ({"where": {"min_area_px": 9, "max_area_px": 3}}, "min_area_px 9 is above max_area_px 3"),
        ({"where": {"min_area": 9}}, "Extra inputs are not permitted"),
        ({"classes": []}, "Tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_contradictory_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        RemoveInstances.model_validate({"classes": ["car"], **fields})
    assert message in str(raised.value)


def test_drop_takes_exactly_the_named_instances(street: Callable[..., Scene]) -> None:
    after, record = Drop(instances=(12001, 12003)).apply(street(), EditContext(), np.random.default_rng(0))
    assert [i.id for i in record.instances] == [12001, 12003]
    assert list(Canvas(after).table) == [10000, 10001, 12000, 12002]


def test_drop_of_an_unknown_instance_says_so(street: Callable[..., Scene]) -> None:
    scene = street()
    after, record = Drop(instances=(12000, 12077)).apply(scene, EditContext(), np.random.default_rng(0))
    assert after is scene
    assert record.reason == "no instance 12077"
