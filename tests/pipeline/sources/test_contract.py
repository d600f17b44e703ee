"""What every source promises, whatever its format."""

import pickle
import re

import numpy as np
import pytest
from pydantic import TypeAdapter

from label_editing.scene import check_scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources import SOURCES, AnySource

pytestmark = pytest.mark.parametrize("format", SOURCES)


def test_the_table_key_is_the_format_and_parses_as_part_of_a_recipe(format, small_source):
    config = small_source(format)
    assert config.format == format
    assert TypeAdapter(AnySource).validate_json(config.model_dump_json(), strict=True) == config


def test_keys_are_sorted_unique_and_flat(format, small_source):
    keys = small_source(format).open().keys()
    assert list(keys) == sorted(set(keys))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", key) for key in keys)


def test_opening_reads_no_pixel(format, small_source, monkeypatch):
    config = small_source(format)

    def refuse(*_args, **_options):
        raise AssertionError("a pixel was read")

    monkeypatch.setattr("cv2.imdecode", refuse)
    assert len(config.open().keys()) >= 2


def test_scenes_keep_every_invariant_and_carry_their_key(format, small_source):
    source = small_source(format).open()
    for key in list(source.keys()):
        scene = source.read_scene(key)
        check_scene(scene)
        assert scene.key == key
        assert scene.catalog == source.catalog
        assert dict(scene.attributes) == dict(source.attributes(key))


def test_a_resolution_is_honoured_by_maps_and_image(format, small_source):
    source = small_source(format).open()
    scene, image = source.read(source.keys()[0], Resolution(32, 16))
    check_scene(scene)
    assert scene.labels.shape == (16, 32)
    assert scene.instances is not None
    assert scene.instances.shape == (16, 32)
    assert image is not None
    assert (image.shape, image.dtype) == ((16, 32, 3), np.uint8)


def test_a_pair_is_what_its_halves_are(format, small_source):
    source = small_source(format).open()
    key = source.keys()[-1]
    scene, image = source.read(key, Resolution(64, 32))
    alone = source.read_scene(key, Resolution(64, 32))
    np.testing.assert_array_equal(scene.labels, alone.labels)
    np.testing.assert_array_equal(scene.instances, alone.instances)
    np.testing.assert_array_equal(image, source.read_image(key, Resolution(64, 32)))


def test_a_pickled_source_reads_the_same(format, small_source):
    source = small_source(format).open()
    again = pickle.loads(pickle.dumps(source))
    assert again.keys() == source.keys()
    assert again.fingerprint() == source.fingerprint()
    key, size = source.keys()[0], Resolution(64, 32)
    np.testing.assert_array_equal(again.read_scene(key, size).labels, source.read_scene(key, size).labels)


def test_the_fingerprint_follows_what_would_be_read(format, small_source):
    config = small_source(format)
    source = config.open()
    assert config.open().fingerprint() == source.fingerprint()
    fewer = config.model_copy(update={"select": source.keys()[0]}).open()
    assert list(fewer.keys()) == [source.keys()[0]]
    assert fewer.fingerprint() != source.fingerprint()


def test_an_unknown_key_is_an_error(format, small_source):
    with pytest.raises(SourceError, match="no-such-key"):
        small_source(format).open().read_scene("no-such-key")
