"""Cityscapes is read from the official tree."""

import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.sources.cityscapes import CityscapesConfig


def test_keys_are_the_official_names_and_the_city_is_known(cityscapes):
    source = CityscapesConfig(root=str(cityscapes)).open()
    assert list(source.keys()) == ["aachen_000000_000019", "aachen_000001_000019", "ulm_000002_000019"]
    assert source.attributes("ulm_000002_000019") == {"city": "ulm"}


def test_scenes_are_what_the_files_hold(cityscapes, street_maps):
    labels, instances, image = street_maps(1)
    scene, read = CityscapesConfig(root=str(cityscapes)).open().read("aachen_000001_000019")
    np.testing.assert_array_equal(scene.labels, labels)
    np.testing.assert_array_equal(scene.instances, instances)
    np.testing.assert_array_equal(read, image)


def test_a_split_without_images_has_scenes_only(cityscapes):
    source = CityscapesConfig(root=str(cityscapes), split="val").open()
    assert list(source.keys()) == ["bonn_000000_000019"]
    assert source.read_image("bonn_000000_000019") is None
    assert list(source.unpaired()) == []


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("tran", "unknown split 'tran'; did you mean 'train'?"),
        ("zzz", "unknown split 'zzz'; known: train, val"),
    ],
)
def test_an_unknown_split_names_those_there_are(cityscapes, split, message):
    with pytest.raises(SourceError) as caught:
        CityscapesConfig(root=str(cityscapes), split=split).open()
    assert str(caught.value) == f"{cityscapes}: {message}"


def test_an_empty_source_says_what_was_expected(tmp_path):
    with pytest.raises(SourceError) as caught:
        CityscapesConfig(root=str(tmp_path)).open()
    assert str(caught.value) == (f"{tmp_path}: no label maps; expected gtFine/train/<city>/*_gtFine_labelIds.png")
