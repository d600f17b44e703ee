"""Added objects stand where they can, as tall as they would be, before and behind what is there."""

from collections.abc import Callable

import numpy as np
import pytest

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.base import EditContext, EditRecord
from label_editing.instance_bank import InstanceBank, build_entries
from label_editing.perspective import Perspective
from label_editing.scene import Scene
from label_editing.views import view_of


def add(scene: Scene, context: EditContext | None = None, seed: int = 0, **fields: object) -> tuple[Scene, EditRecord]:
    edit = AddInstances.model_validate({"class": "car", **fields})
    return edit.apply(scene, context or EditContext(), np.random.default_rng(seed))


@pytest.mark.parametrize("class_name", ["car", "person", "rider", "bicycle"])
def test_feet_stand_on_the_support_and_heights_follow_the_view(street: Callable[..., Scene], class_name: str) -> None:
    placed = 0
    for seed in range(25):
        scene = street(height=256, width=512, cars=4)
        spec = scene.catalog.named(class_name)
        after, record = add(scene, seed=seed, **{"class": class_name})
        for touched in record.instances[-1:]:  # of a rider, the bicycle: what touches the ground
            placed += 1
            instance = Canvas(after).table[touched.id]
            lowest = np.flatnonzero(Canvas(after).mask_of(instance)[-1]) + instance.box.left
            assert scene.catalog.supports[class_name][scene.labels[instance.foot_row, lowest]].all()
            assert not (scene.catalog.of_layer["sky"][scene.labels] & (after.instances == instance.id)).any()
            view = view_of(Canvas(scene), None)
            assert view is not None
            assert spec.height_m is not None
            described = record.parameters["placed"][0]
            expected = spec.height_m * view.pixels_per_metre(described["foot"][0], scene.height)
            assert expected / 1.25 <= described["height_px"] <= expected * 1.25
    assert placed >= 15


def test_objects_can_be_kept_to_some_of_what_they_stand_on(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    seen: dict[str, int] = {}
    for name in scene.catalog.named("person").support:
        ground = scene.catalog.named(name).id
        for seed in range(12):
            if not (scene.labels == ground).any():
                continue
            after, record = add(scene, seed=seed, stands_on=[name], count=2, **{"class": "person"})
            # Each is looked at in the scene that the ones before it were added to: they may hide it or its feet.
            for touched in record.instances:
                mask = after.instances == touched.id
                feet = scene.labels[touched.box.bottom - 1][mask[touched.box.bottom - 1]]
                stuff = feet[~scene.catalog.is_thing[feet]]
                assert (stuff == ground).all()
                seen[name] = seen.get(name, 0) + bool(stuff.size)
    assert len(seen) >= 2
    assert min(seen.values()) >= 5
    with pytest.raises(ValueError, match=r"^stands_on: a car never stands on sky; the catalog lets it stand on road"):
        add(scene, stands_on=["sky"])
    with pytest.raises(ValueError, match="names 'road' twice"):
        add(scene, stands_on=["road", "road"])
    roadless = scene.with_maps(
        np.where(scene.labels == 1, 5, scene.labels).astype(np.uint8),
        np.where(scene.labels == 1, 5, scene.instances).astype(np.int32),
    )
    _, record = add(roadless, stands_on=["road"], **{"class": "person"})
    assert record.reason == "no road to stand on"


def test_an_edit_without_grounds_is_written_as_it_was_before_there_were_any() -> None:
    assert "stands_on" not in AddInstances.model_validate({"class": "car"}).model_dump()
    kept = AddInstances.model_validate({"class": "car", "stands_on": ["road"]})
    assert AddInstances.model_validate(kept.model_dump(mode="json", by_alias=True)) == kept


def test_a_rider_comes_with_its_bicycle(street: Callable[..., Scene]) -> None:
    after, record = add(street(height=256, width=512), cutouts="silhouettes", **{"class": "rider"})
    assert [i.class_name for i in record.instances] == ["rider", "bicycle"]
    rider, bicycle = (Canvas(after).table[i.id] for i in record.instances)
    assert rider.box.overlaps(bicycle.box)
    assert bicycle.foot_row >= rider.foot_row


def test_an_added_object_hides_only_what_is_farther(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512, cars=5)
    before = Canvas(scene).table
    hid = 0
    for seed in range(40):
        after, record = add(scene, seed=seed, min_visible=0.2, min_left_visible=0.2)
        table = Canvas(after).table
        for placed in record.parameters.get("placed", []):
            smaller = [old for i, old in before.items() if table[i].area < old.area]
            hid += len(smaller)
            assert all(old.foot_row <= placed["foot"][0] for old in smaller)
    assert hid > 0


def test_a_nearer_object_hides_a_part_of_an_added_one(catalog: Catalog) -> None:
    labels = np.full((100, 200), 1, np.uint8)
    labels[:40] = 4
    labels[30:90, 60:140] = 12
    instances = np.where(labels == 12, np.int32(12000), labels)
    scene = Scene(labels, instances, catalog, "one near car")
    view = Perspective(horizon=0.38, scale=0.5)
    hidden = 0
    for seed in range(80):
        after, record = add(scene, EditContext(perspective=view), seed, cutouts="silhouettes", min_height=0.12)
        assert (
            Canvas(after).table[12000] == Canvas(scene).table[12000] or record.parameters["placed"][0]["foot"][0] > 89
        )
        for new in record.instances:
            # What shows ends exactly where the near car begins.
            hidden += new.box.bottom <= 90 and (new.box.left == 140 or new.box.right == 60)
    assert hidden > 0


def test_covered_objects_keep_the_share_that_must_show(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512, cars=5)
    before = Canvas(scene).table
    for seed in range(20):
        after, _ = add(scene, seed=seed, count=3, min_left_visible=0.8)
        table = Canvas(after).table
        # Each of three may take a fifth of what the ones before it left.
        assert all(table[i].area >= 0.8**3 * old.area for i, old in before.items())


def test_cut_outs_come_from_the_bank_then_the_scene_then_outlines(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    bank = InstanceBank.of(build_entries(street(height=256, width=512, cars=6, key="other")))
    origins = []
    for chosen, context in (
        (scene, EditContext(bank=bank)),
        (scene, EditContext()),
        (street(height=256, width=512, cars=0), EditContext()),
    ):
        _, record = add(chosen, context)
        origins.append((record.parameters["placed"][0]["cutout"], record.parameters["placed"][0]["source_key"]))
    assert origins == [("bank", "other"), ("scene", "street"), ("silhouette", "")]


def test_a_scene_without_objects_takes_the_view_of_its_source(street: Callable[..., Scene]) -> None:
    view = Perspective(horizon=0.4, scale=0.3)
    _, record = add(street(height=256, width=512, cars=0), EditContext(perspective=view))
    placed = record.parameters["placed"][0]
    assert placed["height_px"] == pytest.approx(1.5 * 0.3 * (placed["foot"][0] - 0.4 * 256), rel=0.2)


def test_without_free_ground_it_says_why(street: Callable[..., Scene]) -> None:
    scene = street()
    labels = np.where(scene.labels == 1, 5, scene.labels).astype(np.uint8)
    codes = np.where(scene.labels == 1, 5, scene.instances).astype(np.int32)
    roadless = scene.with_maps(labels, codes)
    after, record = add(roadless)
    assert after is roadless
    assert (record.applied, record.reason) == (False, "no road to stand on")


def test_a_class_without_support_says_so(street: Callable[..., Scene]) -> None:
    _, record = add(street(), **{"class": "balloon"})
    assert record.reason == "the catalog does not say what a balloon stands on"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"class": "road"}, "add_instances of 'road': not a class of things"),
        ({"class": "cat"}, "unknown class 'cat'; did you mean 'car'? (catalog small)"),
        ({"cutouts": "bank"}, "cutouts: bank, but no instance bank is given"),
    ],
)
def test_what_cannot_be_added_is_refused(street: Callable[..., Scene], fields: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        add(street(), **fields)
    assert str(raised.value) == message


def test_a_bank_without_the_class_names_the_nearest_it_has(street: Callable[..., Scene], catalog: Catalog) -> None:
    bank = InstanceBank.of(build_entries(street(height=256, width=512)))
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        add(street(), EditContext(bank=bank), cutouts="bank", **{"class": "rider"})
    assert str(raised.value) == "instance bank: unknown class 'rider'; known: car, person"
    with pytest.raises(ValueError, match=r"max_height 0\.1 is below min_height 0\.2"):
        AddInstances.model_validate({"class": "car", "min_height": 0.2, "max_height": 0.1})


@pytest.mark.slow
@pytest.mark.parametrize("class_name", ["car", "person"])
def test_on_real_maps_added_objects_are_plausible(cityscapes_scenes: list[Scene], class_name: str) -> None:
    good = placed = 0
    for k in range(3 * len(cityscapes_scenes)):
        scene = cityscapes_scenes[k % len(cityscapes_scenes)]
        after, record = add(scene, seed=k, **{"class": class_name})
        for touched in record.instances:
            placed += 1
            mask = after.instances == touched.id
            covered = scene.labels[mask]
            foot = scene.labels[touched.box.bottom - 1][mask[touched.box.bottom - 1]]
            off_limits = scene.catalog.of_layer["sky"] | scene.catalog.of_layer["fixed"]
            good += bool(scene.catalog.supports[class_name][foot].all() and not off_limits[covered].any())
    assert placed > 2 * len(cityscapes_scenes)
    assert good >= 0.98 * placed
