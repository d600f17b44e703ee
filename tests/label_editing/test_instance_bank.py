"""Banks hold whole objects and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from label_editing.catalog import Catalog
from label_editing.instance_bank import COMPANION, NOTHING, SELF, InstanceBank, build_entries, pack_parts, unpack_parts
from label_editing.scene import Scene


def scene_with(catalog: Catalog, *placed: tuple[int, tuple[slice, slice]]) -> Scene:
    labels = np.full((200, 400), 1, np.uint8)
    labels[:80] = 4
    instances = labels.astype(np.int32)
    for code, window in placed:
        labels[window], instances[window] = (code // 1000 if code >= 1000 else code), code
    return Scene(labels, instances, catalog, "placed", {"time_of_day": "dusk"})


def found(scene: Scene) -> list[tuple[str, int, int]]:
    return [(e.class_name, e.height, e.foot_row) for e in build_entries(scene)]


def test_a_whole_object_is_kept_with_what_is_known_of_it(catalog: Catalog) -> None:
    (entry,) = build_entries(scene_with(catalog, (12000, np.s_[60:120, 100:190])))
    assert (entry.class_name, entry.height, entry.width) == ("car", 60, 90)
    assert (entry.foot_row, entry.foot_column, entry.scene_height, entry.scene_width) == (119, 145, 200, 400)
    assert (entry.source_key, dict(entry.attributes), entry.origin) == ("placed", {"time_of_day": "dusk"}, "bank")
    assert (entry.parts == SELF).all()


@pytest.mark.parametrize(
    "hiding",
    [
        (12001, np.s_[80:140, 130:190]),
        (7, np.s_[50:130, 120:130]),
        (0, np.s_[100:125, 100:190]),
    ],
    ids=["a nearer car", "a pole across it", "void below it"],
)
def test_a_hidden_object_is_left_out(catalog: Catalog, hiding: tuple[int, tuple[slice, slice]]) -> None:
    scene = scene_with(catalog, (12000, np.s_[60:120, 100:190]), hiding)
    assert (60, 119) not in [(height, foot) for _, height, foot in found(scene)]
    assert all(foot != 119 for _, _, foot in found(scene))


def test_a_farther_object_behind_does_not_count_as_hiding(catalog: Catalog) -> None:
    scene = scene_with(catalog, (12001, np.s_[50:100, 150:230]), (12000, np.s_[60:120, 100:190]))
    assert found(scene) == [("car", 60, 119)]


@pytest.mark.parametrize("window", [np.s_[60:120, 0:90], np.s_[140:200, 100:190], np.s_[60:63, 100:103]])
def test_what_the_border_cuts_and_specks_are_left_out(catalog: Catalog, window: tuple[slice, slice]) -> None:
    assert found(scene_with(catalog, (12000, window))) == []


def test_a_rider_is_kept_only_with_its_bicycle(catalog: Catalog) -> None:
    rider, bicycle = (11000, np.s_[60:110, 110:130]), (13000, np.s_[90:120, 95:145])
    assert found(scene_with(catalog, rider)) == []
    entries = {e.class_name: e for e in build_entries(scene_with(catalog, bicycle, rider))}
    parts = entries["rider"].parts
    assert (entries["rider"].height, entries["rider"].width, entries["rider"].companion) == (60, 50, "bicycle")
    assert np.count_nonzero(parts == SELF) == 50 * 20
    assert np.count_nonzero(parts == COMPANION) == 30 * 50 - 20 * 20


def test_a_rider_that_its_bicycle_cuts_in_two_is_whole(catalog: Catalog) -> None:
    rider, bicycle, bar = (11000, np.s_[60:110, 110:130]), (13000, np.s_[90:120, 95:145]), np.s_[84:86, 105:135]
    cut = scene_with(catalog, bicycle, rider, (13000, bar))
    assert "rider" in {entry.class_name for entry in build_entries(cut)}
    assert "person" not in {e.class_name for e in build_entries(scene_with(catalog, (10000, rider[1]), (4, bar)))}


@given(st.integers(0, 10**6))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_packed_cut_outs_unpack_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.choice([NOTHING, SELF, COMPANION], rng.integers(1, 20, 2)).astype(np.uint8)
    np.testing.assert_array_equal(unpack_parts(pack_parts(parts), *parts.shape), parts)


def test_a_cut_out_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a packed cut-out does not fill its 5x4 pixels$"):
        unpack_parts(pack_parts(np.ones((4, 4), np.uint8)), 4, 5)


def test_a_bank_names_what_it_has(street: Callable[..., Scene]) -> None:
    bank = InstanceBank.of(build_entries(street(height=256, width=512)))
    assert bank.class_names == ("car", "person")
    assert "car" in bank
    assert "rider" not in bank
    with pytest.raises(ValueError, match=r"^instance bank: unknown class 'cars'; did you mean 'car'\?$"):
        bank.entries("cars")


@pytest.mark.slow
def test_real_maps_give_cars_and_persons(cityscapes_scenes: list[Scene]) -> None:
    entries = [entry for scene in cityscapes_scenes for entry in build_entries(scene)]
    names = [entry.class_name for entry in entries]
    assert names.count("car") >= 20
    assert names.count("person") >= 10
    assert all(entry.parts.any(axis=1).all() or entry.height < 40 for entry in entries)
