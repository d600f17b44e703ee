"""Pictures show scenes in catalog colours and name what changed."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from label_editing.drawing import all_touched, colourise, outline_changes
from label_editing.edits.base import EditContext
from label_editing.edits.drop import Drop
from label_editing.edits.mirror import Mirror
from label_editing.edits.paint import Paint
from label_editing.edits.repeat import Repeat
from label_editing.edits.swap_class import SwapClass
from label_editing.scene import Scene

GREEN, RED, YELLOW = (60, 255, 90), (255, 70, 60), (255, 220, 40)


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == np.array(colour)).all(axis=2)


def test_every_pixel_has_the_colour_of_its_class(street: Callable[..., Scene]) -> None:
    scene = street()
    picture = colourise(scene, instance_edges=False)
    assert (picture.shape, picture.dtype) == ((128, 256, 3), np.uint8)
    np.testing.assert_array_equal(picture, scene.catalog.palette[scene.labels])


def test_instance_edges_are_drawn_on_things_alone(street: Callable[..., Scene]) -> None:
    scene = street()
    white = has(colourise(scene), (255, 255, 255))
    assert white.any()
    assert scene.catalog.is_thing[scene.labels[white]].all()


def test_what_went_is_outlined_before_and_what_came_after(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    rng = np.random.default_rng(0)
    dropped, gone = Drop(instances=(12002,)).apply(scene, EditContext(), rng)
    paint = Paint.model_validate({"polygon": [[300, 180], [360, 180], [360, 220]], "class": "person"})
    after, came = paint.apply(dropped, EditContext(), rng)
    before_picture, after_picture = outline_changes(scene, after, [gone, came])
    assert has(before_picture, RED).any()
    assert not has(before_picture, GREEN).any()
    assert has(after_picture, GREEN).any()
    assert not has(after_picture, RED).any()


@pytest.mark.parametrize("width", [None, 200])
def test_what_became_another_surface_is_striped_and_keeps_its_colour_between(
    street: Callable[..., Scene], width: int | None
) -> None:
    scene = street(height=256, width=512)
    edit = SwapClass.model_validate({"from": "road", "to": "sidewalk"})
    after, record = edit.apply(scene, EditContext(), np.random.default_rng(0))
    picture = outline_changes(scene, after, [record], width)[1]
    plain = outline_changes(after, after, [], width)[1]
    striped = has(picture, YELLOW)
    assert (picture == plain).all(axis=2)[~striped].all()
    road = cv2.resize((scene.labels == 1).view(np.uint8), striped.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert not striped[~road].any()
    assert 0.15 < striped[road].mean() < 0.35


def test_names_of_a_crowd_stand_apart(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    records = []
    for left in (200, 206, 212):
        polygon = [[left, 180], [left + 30, 180], [left + 30, 220]]
        paint = Paint.model_validate({"polygon": polygon, "class": "person"})
        scene, record = paint.apply(scene, EditContext(), np.random.default_rng(0))
        records.append(record)
    letters_of_one = has(outline_changes(scene, scene, records[:1])[1], (0, 0, 0)).sum()
    letters = has(outline_changes(scene, scene, records)[1], (0, 0, 0)).sum()
    assert letters == pytest.approx(3 * letters_of_one, rel=0.1)


def test_the_name_of_what_stands_at_the_top_is_at_the_top(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    paint = Paint.model_validate({"polygon": [[200, 0], [240, 0], [240, 60]], "class": "person"})
    after, record = paint.apply(scene, EditContext(), np.random.default_rng(0))
    letters = np.flatnonzero(has(outline_changes(scene, after, [record])[1], (0, 0, 0)).any(axis=1))
    assert letters[0] == 0


def test_a_mirrored_picture_is_not_striped(street: Callable[..., Scene]) -> None:
    scene = street()
    after, record = Mirror().apply(scene, EditContext(), np.random.default_rng(0))
    np.testing.assert_array_equal(outline_changes(scene, after, [record])[1], colourise(after))


def test_instances_of_nested_edits_are_named_too(street: Callable[..., Scene]) -> None:
    edit = Repeat.model_validate({"edit": {"op": "remove_instances", "classes": ["car"], "count": 1}, "times": 2})
    _, record = edit.apply(street(), EditContext(), np.random.default_rng(0))
    assert [t.what for t in all_touched([record])] == ["removed", "removed"]


def test_what_came_is_outlined_where_a_later_mirror_brought_it(street: Callable[..., Scene]) -> None:
    scene = street(height=256, width=512)
    rng = np.random.default_rng(0)
    paint = Paint.model_validate({"polygon": [[20, 180], [80, 180], [80, 220]], "class": "person"})
    painted, came = paint.apply(scene, EditContext(), rng)
    after, mirrored = Mirror().apply(painted, EditContext(), rng)
    green = has(outline_changes(scene, after, [came, mirrored])[1], GREEN)
    assert green[:, 430:].any()
    assert not green[:, :400].any()


def test_a_narrow_picture_still_has_names_that_can_be_read(street: Callable[..., Scene]) -> None:
    scene = street(height=1024, width=2048)
    paint = Paint.model_validate({"polygon": [[800, 800], [1000, 800], [1000, 900]], "class": "person"})
    after, came = paint.apply(scene, EditContext(), np.random.default_rng(0))
    before_picture, after_picture = outline_changes(scene, after, [came], 512)
    assert before_picture.shape == after_picture.shape == (256, 512, 3)
    letters = np.flatnonzero(has(after_picture, (0, 0, 0)).any(axis=1))
    assert letters[-1] - letters[0] >= 9  # pixels
