"""Scenes are read-only and checked where they enter."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from label_editing.catalog import Catalog
from label_editing.scene import Scene, check_scene, class_of_instance


def test_the_maps_of_a_scene_cannot_be_written(street: Callable[..., Scene]) -> None:
    scene = street()
    with pytest.raises(ValueError, match="read-only"):
        scene.labels[0, 0] = 1
    with pytest.raises(TypeError):
        scene.attributes["time_of_day"] = "night"  # type: ignore[index]


def test_a_scene_pickles(street: Callable[..., Scene]) -> None:
    scene = street()
    back = pickle.loads(pickle.dumps(scene))
    np.testing.assert_array_equal(back.labels, scene.labels)
    np.testing.assert_array_equal(back.instances, scene.instances)
    assert (back.key, dict(back.attributes), back.catalog) == (scene.key, dict(scene.attributes), scene.catalog)


def test_the_class_of_an_instance_is_its_id_below_1000_and_a_thousandth_from_there() -> None:
    assert class_of_instance(np.array([7, 999, 1000, 26013])).tolist() == [7, 999, 1, 26]
    # Where a scene has no instances its label map, bytes, stands for them.
    assert class_of_instance(np.array([7, 255], np.uint8)).tolist() == [7, 255]


@pytest.mark.parametrize(
    ("labels", "instances", "message"),
    [
        (np.ones((2, 2), np.int32), None, "label map is int32 of shape (2, 2); expected 2-D uint8 or uint16"),
        (np.ones((2, 2, 3), np.uint8), None, "label map is uint8 of shape (2, 2, 3); expected 2-D uint8 or uint16"),
        (np.ones((0, 2), np.uint8), None, "label map is empty"),
        (np.array([[1, 99, 98]], np.uint8), None, "label map holds ids 98, 99, no class of catalog small"),
        (np.ones((2, 2), np.uint8), np.ones((2, 2), np.uint16), "instance map is uint16; expected int32"),
        (np.ones((2, 2), np.uint8), np.ones((2, 3), np.int32), "instance map is 3x2, label map 2x2"),
        (np.ones((1, 2), np.uint8), np.array([[1, -4]], np.int32), "instance map holds the negative value -4"),
        (
            np.array([[1, 12]], np.uint8),
            np.array([[1, 10000]], np.int32),
            "instance map contradicts the label map at 1 pixels, first at row 0, column 1: instance 10000 on class 12",
        ),
        (
            np.array([[1, 1]], np.uint8),
            np.array([[1, 1004]], np.int32),
            "instance map holds instance 1004 of a stuff class",
        ),
    ],
)
def test_what_breaks_an_invariant_is_named(
    catalog: Catalog, labels: np.ndarray, instances: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared below
        check_scene(Scene(labels, instances, catalog, "bad"))
    assert str(raised.value) == message
