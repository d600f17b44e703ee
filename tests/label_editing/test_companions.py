"""A rider and what is ridden are one thing to every edit: whichever of them is chosen, both go, come and move."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.companions import companion_of, company_of
from label_editing.edits import AnyEdit, Edit, EditContext
from label_editing.instance_bank import InstanceBank, build_entries
from label_editing.scene import Scene

RIDER, RIDER_2, BICYCLE, BICYCLE_2, MOTORCYCLE = 11000, 11001, 13000, 13001, 15000
_PARSE = TypeAdapter[Edit](AnyEdit)

Window = tuple[slice, slice]


def on_road(catalog: Catalog, *objects: tuple[int, Window], size: tuple[int, int] = (120, 200)) -> Scene:
    """Objects in their order on nothing but road, a strip of building above."""
    labels = np.full(size, 1, np.uint8)
    labels[: size[0] // 4] = 4
    instances = labels.astype(np.int32)
    for code, window in objects:
        labels[window], instances[window] = code // 1000, code
    return Scene(labels, instances, catalog, "ride")


def ridden(code: int, left: int = 60) -> list[tuple[int, Window]]:
    """A two-wheeler and the rider that sits on it."""
    return [(code, np.s_[80:104, left : left + 40]), (RIDER, np.s_[50:92, left + 12 : left + 28])]


def done(scene: Scene, seed: int = 0, context: EditContext | None = None, **form: Any) -> tuple[Scene, list[int]]:
    """The edited scene and the ids that the record names."""
    edit = _PARSE.validate_python(form)
    after, record = edit.apply(scene, context or EditContext(), np.random.default_rng(seed))
    assert record.applied, record.reason
    return after, [i.id for i in record.instances]


@pytest.mark.parametrize("under", [BICYCLE, MOTORCYCLE])
@pytest.mark.parametrize("chosen", ["rider", "the ridden one"])
def test_rider_and_two_wheeler_are_removed_together(catalog: Catalog, under: int, chosen: str) -> None:
    scene = on_road(catalog, *ridden(under), (BICYCLE_2, np.s_[80:104, 150:190]))
    name = "rider" if chosen == "rider" else catalog.with_id(under // 1000).name
    after, gone = done(scene, op="remove_instances", classes=[name], where={"max_bottom_row": 103, "max_area_px": 799})
    assert gone == [RIDER, under]
    assert list(Canvas(after).table) == [BICYCLE_2]


def test_of_two_it_could_ride_the_one_it_touches_more_is_its_own(catalog: Catalog) -> None:
    parked = (BICYCLE, np.s_[76:100, 74:94])
    scene = on_road(catalog, parked, *ridden(MOTORCYCLE))
    canvas = Canvas(scene)
    assert companion_of(canvas, canvas.table[RIDER]) == canvas.table[MOTORCYCLE]
    assert company_of(canvas, canvas.table[BICYCLE]) == [canvas.table[BICYCLE]]


@pytest.mark.parametrize(
    "window", [np.s_[80:104, 140:180], np.s_[30:44, 60:100], np.s_[110:119, 60:100]], ids=["beside", "behind", "before"]
)
def test_what_stands_elsewhere_is_not_ridden(catalog: Catalog, window: Window) -> None:
    canvas = Canvas(on_road(catalog, (BICYCLE, window), (RIDER, np.s_[50:92, 72:88])))
    assert companion_of(canvas, canvas.table[RIDER]) is None


def test_two_on_one_motorcycle_go_together_and_stay_where_moving_would_part_them(catalog: Catalog) -> None:
    scene = on_road(catalog, *ridden(MOTORCYCLE), (RIDER_2, np.s_[52:92, 88:99]))
    _, gone = done(scene, op="remove_instances", classes=["rider"], count=1)
    assert gone == [RIDER, RIDER_2, MOTORCYCLE]
    move = _PARSE.validate_python({"op": "move_instances", "classes": ["rider", "motorcycle"]})
    _, record = move.apply(scene, EditContext(), np.random.default_rng(0))
    assert record.reason == "no rider or motorcycle to choose from"


@pytest.mark.parametrize("op", ["move_instances", "resize_instances"])
@pytest.mark.parametrize("chosen", ["rider", "motorcycle"])
def test_rider_and_motorcycle_are_moved_and_scaled_as_one(catalog: Catalog, op: str, chosen: str) -> None:
    scene = on_road(catalog, *ridden(MOTORCYCLE))
    after, named = done(scene, op=op, classes=[chosen])
    assert named == [RIDER, MOTORCYCLE]
    table, before = Canvas(after).table, Canvas(scene).table
    scale = table[MOTORCYCLE].box.width / before[MOTORCYCLE].box.width
    for number in (RIDER, MOTORCYCLE):  # the gap between their feet, and both their heights, scale alike
        assert table[number].height == pytest.approx(scale * before[number].height, abs=2)
    apart = [t[MOTORCYCLE].foot_row - t[RIDER].foot_row for t in (before, table)]
    assert apart[1] == pytest.approx(scale * apart[0], abs=2)


def test_a_rider_from_the_bank_comes_on_what_it_rode_there(catalog: Catalog) -> None:
    entries = build_entries(on_road(catalog, *ridden(MOTORCYCLE), (BICYCLE, np.s_[80:104, 150:190])))
    assert {e.class_name: e.companion for e in entries} == {"rider": "motorcycle", "bicycle": ""}
    context = EditContext(bank=InstanceBank.of(entries))
    empty = on_road(catalog, size=(240, 400))
    after, named = done(empty, context=context, op="add_instances", **{"class": "rider"})
    assert named == [RIDER, MOTORCYCLE]
    assert sorted(Canvas(after).table) == [RIDER, MOTORCYCLE]


def test_a_catalog_may_name_one_companion_several_or_none() -> None:
    road = {"id": 1, "name": "road", "color": (1, 1, 1), "layer": "ground"}
    for given, read in (("road", ("road",)), (["road"], ("road",)), (None, ()), ([], ())):
        rider = {"id": 2, "name": "rider", "color": (2, 2, 2), "layer": "object", "thing": True, "companion": given}
        assert Catalog.model_validate({"name": "c", "classes": [road, rider]}).named("rider").companion == read
