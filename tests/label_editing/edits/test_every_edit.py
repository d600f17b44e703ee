"""What holds for every edit of the table, on random scenes, on drawn streets and on real maps."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from label_editing.catalog import Catalog
from label_editing.edits import EDITS, AnyEdit, Edit, EditContext, EditRecord, apply_edits, replay_edits
from label_editing.scene import Scene, check_scene

Recipe = dict[str, Any]

_PARSE = TypeAdapter[Edit](AnyEdit)
_SETTINGS = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

# Several forms of each op, for the small catalog; polygons fit the smallest random map.
FORMS: list[Recipe] = [
    {"op": "swap_class", "from": "building", "to": "vegetation"},
    {"op": "swap_class", "from": "car", "to": "building"},
    {"op": "swap_class", "from": "building", "to": "car", "where": {"min_area_px": 3}},
    {"op": "swap_class", "from": "car", "to": "person", "fraction": 0.5},
    {"op": "swap_class", "from": "unlabeled", "to": "road", "fraction": 0.5},
    {"op": "remove_instances", "classes": ["car", "rider"]},
    {"op": "remove_instances", "classes": ["person"], "count": [0, 2]},
    {"op": "add_instances", "class": "car", "count": [1, 3], "min_height": 0.001, "max_height": 1.0},
    {"op": "add_instances", "class": "rider", "cutouts": "silhouettes", "min_visible": 0.0, "min_left_visible": 0.0},
    {"op": "move_instances", "classes": ["car", "person", "rider"], "min_left_visible": 0.0},
    {"op": "resize_instances", "classes": ["car", "person", "rider"], "scale": [0.3, 2.5]},
    {"op": "mirror"},
    {"op": "mirror", "keep": ["sky"]},
    {"op": "crop_scene", "zoom": [1.0, 3.0]},
    {"op": "crop_scene", "zoom": [1.5, 2.0]},
    {"op": "replace_region", "classes": ["sky", "building", "vegetation"]},
    {"op": "replace_region", "polygon": [[0, 0], [5, 0], [5, 3], [0, 3]]},
    {"op": "paint", "polygon": [[0, 0], [4, 1], [2, 3]], "class": "sidewalk"},
    {"op": "paint", "polygon": [[0, 0], [4, 1], [2, 3]], "class": "car"},
    {"op": "set_class", "instance": 12000, "class": "person"},
    {"op": "set_class", "instance": 12001, "class": "road"},
    {"op": "drop", "instances": [12000]},
    {"op": "one_of", "edits": [{"op": "mirror"}, {"op": "remove_instances", "classes": ["car"]}], "weights": [1, 2]},
    {"op": "repeat", "edit": {"op": "remove_instances", "classes": ["car", "person"], "count": 1}, "times": [1, 3]},
]


def test_forms_cover_the_table() -> None:
    assert {form["op"] for form in FORMS} == set(EDITS)


def noise(catalog: Catalog, seed: int, key: str = "noise", shape: tuple[int, int] | None = None) -> Scene:
    """Rectangles of any class anywhere, groups and hidden instances included: nothing like a street."""
    rng = np.random.default_rng(seed)
    height, width = shape or (int(rng.integers(4, 40)), int(rng.integers(6, 50)))
    labels = np.full((height, width), rng.choice([c.id for c in catalog.classes if not c.thing]), np.uint8)
    instances = labels.astype(np.int32)
    for _ in range(int(rng.integers(0, 14))):
        spec = catalog.classes[int(rng.integers(len(catalog.classes)))]
        top, left = int(rng.integers(height)), int(rng.integers(width))
        window = np.s_[top : top + int(rng.integers(1, height + 1)), left : left + int(rng.integers(1, width + 1))]
        labels[window] = spec.id
        group = not spec.thing or rng.random() < 0.1
        instances[window] = spec.id if group else spec.id * 1000 + int(rng.integers(0, 4))
    return Scene(labels, instances, catalog, key)


def assert_sound(
    edits: list[Edit], scene: Scene, seed: int, context: EditContext | None = None
) -> tuple[Scene, list[EditRecord]]:
    """Every invariant of one pipeline of edits; the result, for what else a test knows of it."""
    context = context or EditContext()
    before = scene.labels.tobytes(), None if scene.instances is None else scene.instances.tobytes()
    after, records = apply_edits(edits, scene, context, np.random.default_rng(seed))
    check_scene(after)
    assert (after.labels.shape, after.labels.dtype) == (scene.labels.shape, scene.labels.dtype)
    assert (scene.labels.tobytes(), None if scene.instances is None else scene.instances.tobytes()) == before
    again, _ = apply_edits(edits, scene, context, np.random.default_rng(seed))
    assert_same(after, again)
    assert_same(after, replay_edits([EditRecord.model_validate_json(r.to_json()) for r in records], scene))
    if all(record.reason for record in records):
        assert after is scene
    return after, records


def assert_same(one: Scene, other: Scene) -> None:
    np.testing.assert_array_equal(one.labels, other.labels)
    assert (one.instances is None) == (other.instances is None)
    if one.instances is not None and other.instances is not None:
        np.testing.assert_array_equal(one.instances, other.instances)


def void_pixels(scene: Scene) -> int:
    return int(np.count_nonzero(scene.catalog.is_void[scene.labels]))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f["op"])
@given(seed=st.integers(0, 10**6), draw=st.integers(0, 10**6))
@settings(_SETTINGS, max_examples=25)
def test_an_edit_is_sound_on_any_scene(catalog: Catalog, form: Recipe, seed: int, draw: int) -> None:
    scene = noise(catalog, seed)
    context = EditContext(scenes=(noise(catalog, seed + 1, "other", scene.labels.shape),))
    after, _ = assert_sound([_PARSE.validate_python(form)], scene, draw, context)
    if form["op"] != "crop_scene":
        assert void_pixels(after) <= void_pixels(scene)


@given(
    seed=st.integers(0, 10**6),
    draw=st.integers(0, 10**6),
    forms=st.lists(st.sampled_from(FORMS), min_size=1, max_size=6),
)
@settings(_SETTINGS, max_examples=150)
def test_any_pipeline_is_sound_on_any_scene(catalog: Catalog, seed: int, draw: int, forms: list[Recipe]) -> None:
    scene = noise(catalog, seed)
    context = EditContext(scenes=(noise(catalog, seed + 1, "other", scene.labels.shape),))
    assert_sound([_PARSE.validate_python(form) for form in forms], scene, draw, context)


@given(draw=st.integers(0, 10**6), forms=st.lists(st.sampled_from(FORMS), min_size=1, max_size=6))
@settings(_SETTINGS, max_examples=60)
def test_any_pipeline_is_sound_on_a_street(street: Callable[..., Scene], draw: int, forms: list[Recipe]) -> None:
    edits = [_PARSE.validate_python(form) for form in forms]
    assert_sound(edits, street(), draw, EditContext(scenes=(street(cars=1, key="other"),)))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f["op"])
def test_an_edit_of_probability_0_is_the_identity(street: Callable[..., Scene], form: Recipe) -> None:
    scene = street()
    after, record = _PARSE.validate_python({**form, "probability": 0.0}).apply(
        scene, EditContext(), np.random.default_rng(0)
    )
    assert after is scene
    assert (record.applied, record.reason, record.changes) == (False, "not drawn", ())


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f["op"])
def test_an_edit_pickles_and_reads_back_from_its_own_json(form: Recipe) -> None:
    edit = _PARSE.validate_python(form)
    assert pickle.loads(pickle.dumps(edit)) == edit
    assert _PARSE.validate_json(edit.model_dump_json(by_alias=True)) == edit


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f["op"])
@given(draw=st.integers(0, 10**6))
@settings(_SETTINGS, max_examples=8)
def test_without_instances_an_edit_works_on_stuff_or_says_what_is_missing(
    street: Callable[..., Scene], form: Recipe, draw: int
) -> None:
    whole = street()
    scene = whole.with_maps(whole.labels, None)
    _, (record,) = assert_sound([_PARSE.validate_python(form)], scene, draw)
    needs = {"remove_instances", "add_instances", "move_instances", "resize_instances", "set_class", "drop", "repeat"}
    if form["op"] in needs:
        assert record.reason.endswith("the scene has no instance map")


REAL_FORMS: list[list[Recipe]] = [
    [
        {"op": "swap_class", "from": "vegetation", "to": "building"},
        {"op": "remove_instances", "classes": ["car", "person", "rider"], "fraction": 0.4},
        {"op": "add_instances", "class": "car", "count": [1, 3]},
        {"op": "mirror"},
    ],
    [
        {"op": "swap_class", "from": "car", "to": "truck", "fraction": 0.5},
        {"op": "move_instances", "classes": ["person", "car", "truck"], "count": 2},
        {"op": "crop_scene"},
        {"op": "resize_instances", "classes": ["person", "car"], "count": 2},
    ],
    [
        {"op": "replace_region", "classes": ["sky", "building", "vegetation"]},
        {"op": "add_instances", "class": "rider", "count": 2},
        {"op": "repeat", "edit": {"op": "add_instances", "class": "person"}, "times": 2},
        {"op": "swap_class", "from": "pole", "to": "building", "fraction": 0.5},
    ],
]


@pytest.mark.slow
@pytest.mark.parametrize("forms", REAL_FORMS, ids=["swap-remove-add-mirror", "move-crop-resize", "replace-add"])
def test_pipelines_are_sound_on_cityscapes_maps(cityscapes_scenes: list[Scene], forms: list[Recipe]) -> None:
    edits = [_PARSE.validate_python(form) for form in forms]
    context = EditContext(scenes=tuple(cityscapes_scenes[:4]))
    for k, scene in enumerate(cityscapes_scenes[::2]):
        assert_sound(edits, scene, k, context)


def any_forms(scene: Scene, things: list[str], stuff: list[str]) -> list[Recipe]:
    """Every op, for a real map: of classes that its source has, and of instances that it has itself."""
    ids = [int(i) for i in np.unique(scene.instances) if i >= 1000] or [1000]
    width, height = scene.width, scene.height
    polygon = [[width // 8, height // 4], [width // 2, height // 3], [width // 3, height - 1]]
    remove: Recipe = {"op": "remove_instances", "classes": things, "count": [1, 3]}
    return [
        {"op": "swap_class", "from": stuff[0], "to": stuff[1]},
        {"op": "swap_class", "from": stuff[1], "to": things[0], "where": {"min_area_px": 400}, "fraction": 0.5},
        {"op": "swap_class", "from": things[0], "to": stuff[0], "fraction": 0.5},
        {"op": "swap_class", "from": things[0], "to": things[1], "fraction": 0.5},
        remove,
        {"op": "add_instances", "class": things[0], "count": [1, 2]},
        {"op": "move_instances", "classes": things, "count": 1},
        {"op": "resize_instances", "classes": things, "count": 1},
        {"op": "mirror", "keep": stuff[:1]},
        {"op": "crop_scene", "zoom": [1.1, 2.0]},
        {"op": "replace_region", "classes": stuff},
        {"op": "replace_region", "polygon": polygon, "align_horizon": False},
        {"op": "paint", "polygon": polygon, "class": things[1]},
        {"op": "set_class", "instance": ids[0], "class": stuff[0]},
        {"op": "drop", "instances": [ids[-1]]},
        {"op": "one_of", "edits": [{"op": "mirror"}, {"op": "repeat", "edit": remove, "times": 2}], "weights": [1, 3]},
        {"op": "repeat", "edit": {"op": "one_of", "edits": [remove, {"op": "crop_scene"}]}, "times": [1, 2]},
    ]


CITYSCAPES = (["car", "person", "rider", "bicycle"], ["vegetation", "building", "sky", "sidewalk"])
COCO_STUFF = (["person", "car", "dog"], ["grass", "tree", "sky-other", "wall-concrete"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "classes"), [("cityscapes_scenes", CITYSCAPES), ("coco_scenes", COCO_STUFF)], ids=["cityscapes", "coco"]
)
def test_random_pipelines_of_every_op_are_sound_on_real_maps(
    request: pytest.FixtureRequest, fixture: str, classes: tuple[list[str], list[str]]
) -> None:
    scenes: list[Scene] = request.getfixturevalue(fixture)
    drawn, rng = set(), np.random.default_rng(0)
    forms = any_forms(scenes[0], *classes)
    order = [form for _ in range(2) for form in rng.permutation(np.array(forms, object)).tolist()]
    for k, scene in enumerate(scenes):
        mine = any_forms(scene, *classes)
        picked = [mine[forms.index(form)] for form in order[2 * k : 2 * k + 3]]
        drawn |= {form["op"] for form in picked}
        # Others of its size, as those of a source read at one resolution are.
        others = tuple(s for s in scenes if s.labels.shape == scene.labels.shape)[:3]
        assert_sound([_PARSE.validate_python(form) for form in picked], scene, k, EditContext(scenes=others))
    assert drawn == set(EDITS)


@pytest.mark.slow
def test_pipelines_are_sound_on_coco_stuff_maps(coco_scenes: list[Scene]) -> None:
    forms: list[Recipe] = [
        {"op": "remove_instances", "classes": ["person", "car"], "count": [1, 2]},
        {"op": "add_instances", "class": "person", "count": 2},
        {"op": "swap_class", "from": "person", "to": "dog", "fraction": 0.5},
        {"op": "move_instances", "classes": ["person", "dog", "car"], "count": 1},
        {"op": "mirror"},
        {"op": "crop_scene"},
    ]
    for k, scene in enumerate(coco_scenes):
        assert_sound([_PARSE.validate_python(form) for form in forms], scene, k)
