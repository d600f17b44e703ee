"""Every instance encoding means the same objects in the end."""

import numpy as np
import pytest

from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import Scene, check_scene
from pipeline.sources.instances import (
    ENCODINGS,
    from_components,
    from_div256,
    from_painted_counts,
    from_segments,
    number_instances,
)

CATALOG = Catalog(
    name="toy",
    classes=(
        ClassSpec(id=0, name="road", color=(0, 0, 0), layer="ground"),
        ClassSpec(id=1, name="car", color=(1, 1, 1), layer="object", thing=True),
        ClassSpec(id=2, name="person", color=(2, 2, 2), layer="object", thing=True),
    ),
)
#                   two cars, a person, a group of people, road
LABELS = np.array([[1, 1, 1, 2, 2, 0, 0, 1]], np.uint8)
WANTED = np.array([[1000, 1000, 1001, 2000, 2, 0, 0, 1]], np.int32)


@pytest.mark.parametrize(
    ("encoding", "stored"),
    [
        ("cityscapes1000", [1000, 1000, 1001, 2000, 2, 0, 0, 1]),
        ("separate", [1, 1, 2, 1, 0, 0, 7, 0]),
        ("rgb_panoptic", [5, 5, 70000, 9, 0, 77, 77, 0]),
    ],
)
def test_an_encoding_becomes_class_times_1000_plus_k(encoding, stored):
    instances = ENCODINGS[encoding](np.array([stored], np.int32), LABELS, CATALOG)
    np.testing.assert_array_equal(instances, WANTED)
    check_scene(Scene(LABELS, instances, CATALOG, "key"))


def test_div256_keeps_its_numbers_and_takes_0_for_unseparated():
    stored = np.array([[257, 257, 511, 513, 512, 0, 3, 256]], np.uint16)
    instances = from_div256(stored, LABELS, CATALOG)
    np.testing.assert_array_equal(instances, [[1001, 1001, 1255, 2001, 2, 0, 0, 1]])


def test_a_segment_of_two_classes_is_refused():
    with pytest.raises(ValueError, match=r"^segment 5 covers the classes 1 and 2; a segment has one class$"):
        from_segments(np.array([[5, 5, 5, 5, 0, 0, 0, 0]], np.int32), LABELS, CATALOG)


def test_more_instances_than_fit_are_refused_with_the_class():
    labels = np.full((1, 1001), 1, np.uint8)
    with pytest.raises(ValueError, match=r"^1001 instances of car; at most 1000 of a class fit a scene$"):
        number_instances(np.arange(1, 1002)[None], labels, CATALOG)


def test_components_are_connected_regions_and_specks_stay_together():
    labels = np.zeros((20, 40), np.uint8)
    labels[2:8, 2:8] = labels[8:14, 8:14] = 1  # they touch at a corner: one car
    labels[2:8, 20:26] = 1
    labels[15:17, 30:32] = 2
    instances = from_components(labels, CATALOG)
    assert len(np.unique(instances[2:14, 2:14])) == 2  # road and one car
    assert {int(i) for i in np.unique(instances)} == {0, 1000, 1001, 2}
    check_scene(Scene(labels, instances, CATALOG, "key"))


def test_a_painted_count_belongs_to_the_thing_most_of_it_lies_on():
    # File values are the class minus one: count 0 is a car whose polygon spills onto road and person.
    labels = np.array([[1, 1, 1, 2, 2, 2, 0, 0, 2]], np.uint8)
    painted = np.array([[0, 0, 0, 0, 1, 1, 0, 255, 1]], np.uint8)
    instances = from_painted_counts(painted, labels, CATALOG)
    np.testing.assert_array_equal(instances, [[1000, 1000, 1000, 2, 2, 2, 0, 0, 2]])


def test_a_value_seen_only_as_a_label_is_no_count():
    # 1 lies under person (value 1) alone: those people were never separated. With a spill it is a count.
    labels = np.array([[2, 2, 2, 1]], np.uint8)
    np.testing.assert_array_equal(from_painted_counts(np.array([[1, 1, 1, 0]]), labels, CATALOG), [[2, 2, 2, 1]])
    spilt = from_painted_counts(np.array([[1, 1, 1, 1]]), labels, CATALOG)
    np.testing.assert_array_equal(spilt, [[2000, 2000, 2000, 1]])
