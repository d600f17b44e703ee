"""The street world as a source: what it promises to those who read it."""

import pickle
import re

import numpy as np
import pytest

from label_editing.scene import check_scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.streetscapes import StreetscapesConfig

SMALL = Resolution(256, 128)


def test_the_same_key_gives_the_same_bytes_in_any_source_of_the_same_config() -> None:
    first, second = StreetscapesConfig().open(), StreetscapesConfig(scenes=50).open()
    for key in ("streetscapes-train-000000", "streetscapes-train-000042"):
        a, b = first.read(key, SMALL), second.read(key, SMALL)
        assert a.scene.labels.tobytes() == b.scene.labels.tobytes()
        assert a.scene.instances is not None
        assert b.scene.instances is not None
        assert a.scene.instances.tobytes() == b.scene.instances.tobytes()
        assert a.image is not None
        assert b.image is not None
        assert a.image.tobytes() == b.image.tobytes()


def test_reading_in_another_order_changes_nothing() -> None:
    source = StreetscapesConfig(scenes=6).open()
    forward = {key: source.read_scene(key, SMALL).labels.tobytes() for key in source.keys()}
    backward = {key: source.read_scene(key, SMALL).labels.tobytes() for key in reversed(source.keys())}
    assert forward == backward


def test_scene_and_image_apart_are_those_of_the_pair() -> None:
    source = StreetscapesConfig().open()
    key = source.keys()[3]
    pair = source.read(key, SMALL)
    np.testing.assert_array_equal(source.read_scene(key, SMALL).labels, pair.scene.labels)
    np.testing.assert_array_equal(source.read_image(key, SMALL), pair.image)


@pytest.mark.parametrize("other", [{"seed": 1}, {"split": "val"}])
def test_seeds_and_splits_are_different_streets(other: dict[str, object]) -> None:
    one = StreetscapesConfig().open()
    two = StreetscapesConfig.model_validate({"format": "streetscapes", **other}).open()
    for a, b in zip(one.keys()[:5], two.keys()[:5], strict=True):
        agreement = (one.read_scene(a, SMALL).labels == two.read_scene(b, SMALL).labels).mean()
        assert agreement < 0.95


def test_scenes_are_valid_and_every_instance_has_a_pixel_of_its_one_class() -> None:
    source = StreetscapesConfig(scenes=50).open()
    for key in source.keys():
        scene = source.read_scene(key, SMALL)
        check_scene(scene)
        assert scene.instances is not None
        assert (scene.width, scene.height) == SMALL
        for instance in np.unique(scene.instances[scene.instances >= 1000]):
            assert np.unique(scene.labels[scene.instances == instance]).tolist() == [instance // 1000]
        things = source.catalog.is_thing[scene.labels]
        assert (scene.instances[things] >= 1000).all()


def test_attributes_are_those_of_the_scene_and_cover_what_was_asked_for() -> None:
    source = StreetscapesConfig(scenes=60).open()
    seen = {tuple(source.attributes(key).values()) for key in source.keys()}
    assert seen == {(t, w) for t in ("day", "dusk", "night") for w in ("clear", "overcast", "fog")}
    key = source.keys()[7]
    assert dict(source.read_scene(key, SMALL).attributes) == dict(source.attributes(key))


def test_only_the_given_hours_are_drawn_and_one_given_twice_twice_as_often() -> None:
    config = StreetscapesConfig(scenes=600, times_of_day=("night", "night", "day"), weathers=("clear",))
    source = config.open()
    hours = [source.attributes(key)["time_of_day"] for key in source.keys()]
    assert set(hours) == {"night", "day"}
    # Binomial with 600 draws: five deviations are 58.
    assert abs(hours.count("night") - 400) < 58


def test_a_selection_keeps_its_scenes_as_they_are() -> None:
    whole = StreetscapesConfig(scenes=30).open()
    nights = StreetscapesConfig(scenes=30, where={"time_of_day": "night"}).open()
    assert list(nights.keys()) == [k for k in whole.keys() if whole.attributes(k)["time_of_day"] == "night"]
    key = nights.keys()[0]
    np.testing.assert_array_equal(nights.read(key, SMALL).scene.labels, whole.read(key, SMALL).scene.labels)


def test_keys_are_sorted_flat_and_as_many_as_asked_for() -> None:
    keys = list(StreetscapesConfig(scenes=400).open().keys())
    assert keys == sorted(set(keys))
    assert len(keys) == 400
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", key) for key in keys)


@pytest.mark.parametrize("key", ["streetscapes-train-000003", "streetscapes-val-000000", "nonsense"])
def test_a_key_that_is_not_there_is_named(key: str) -> None:
    with pytest.raises(SourceError) as caught:
        StreetscapesConfig(scenes=3).open().read_scene(key, SMALL)
    assert str(caught.value) == (
        f"streetscapes: no scene {key!r}; this source has streetscapes-train-000000 to streetscapes-train-000002"
    )


def test_a_source_pickles() -> None:
    source = StreetscapesConfig(scenes=5, seed=9).open()
    copy = pickle.loads(pickle.dumps(source))
    key = source.keys()[2]
    np.testing.assert_array_equal(copy.read_scene(key, SMALL).labels, source.read_scene(key, SMALL).labels)
    assert copy.fingerprint() == source.fingerprint()


def test_every_option_changes_the_fingerprint() -> None:
    options: list[dict[str, object]] = [
        {},
        {"seed": 1},
        {"split": "val"},
        {"scenes": 401},
        {"times_of_day": ["night"]},
        {"weathers": ["fog"]},
    ]
    prints = {StreetscapesConfig.model_validate(o).open().fingerprint() for o in options}
    assert len(prints) == len(options)
