"""What is wrong with a file is said with its path, whatever the format; shown on the Cityscapes tree."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import SourceError, UnknownIdsError
from pipeline.sources.base import Unpaired
from pipeline.sources.cityscapes import CityscapesConfig

FIRST = "aachen_000000_000019"


@pytest.fixture
def labels_file(cityscapes: Path) -> Path:
    return cityscapes / f"gtFine/train/aachen/{FIRST}_gtFine_labelIds.png"


@pytest.fixture
def instances_file(cityscapes: Path) -> Path:
    return cityscapes / f"gtFine/train/aachen/{FIRST}_gtFine_instanceIds.png"


@pytest.fixture
def image_file(cityscapes: Path) -> Path:
    return cityscapes / f"leftImg8bit/train/aachen/{FIRST}_leftImg8bit.png"


def message_of_reading(root: Path) -> str:
    source = CityscapesConfig(root=str(root)).open()
    with pytest.raises(SourceError) as caught:
        source.read(FIRST)
    assert source.read("ulm_000002_000019").image is not None  # the others are still read
    return str(caught.value)


def test_a_truncated_file_is_named(cityscapes, labels_file):
    labels_file.write_bytes(labels_file.read_bytes()[:60])
    assert message_of_reading(cityscapes) == f"{labels_file}: a truncated PNG: it ends after 60 bytes"


def test_a_truncated_image_is_named(cityscapes, image_file):
    image_file.write_bytes(image_file.read_bytes()[:60])
    assert message_of_reading(cityscapes) == f"{image_file}: a truncated PNG: it ends after 60 bytes"


def test_an_empty_file_is_named(cityscapes, instances_file):
    instances_file.write_bytes(b"")
    assert message_of_reading(cityscapes) == f"{instances_file}: the file is empty"


def test_a_file_that_went_away_is_named(cityscapes, labels_file):
    source = CityscapesConfig(root=str(cityscapes)).open()
    labels_file.unlink()
    with pytest.raises(SourceError) as caught:
        source.read_scene(FIRST)
    assert str(caught.value) == f"{labels_file}: cannot read: no such file, folder or bucket"


def test_ids_outside_the_catalog_are_counted(cityscapes, labels_file, street_maps, encode_png):
    labels = street_maps(0)[0]
    labels[0, :3], labels[1, 0] = 99, 200
    labels_file.write_bytes(encode_png(labels))
    with pytest.raises(UnknownIdsError) as caught:
        CityscapesConfig(root=str(cityscapes)).open().read_scene(FIRST)
    assert caught.value.pixels == {99: 3, 200: 1}
    assert str(caught.value) == (
        f"{labels_file}: holds ids 99 (3 pixels), 200 (1 pixel), no class of catalog cityscapes"
    )


def test_ids_beyond_8_bits_do_not_wrap_into_the_catalog(cityscapes, labels_file, street_maps, encode_png):
    labels = street_maps(0)[0].astype(np.uint16)
    labels[0, 0] = 256 + 7
    labels_file.write_bytes(encode_png(labels))
    assert message_of_reading(cityscapes) == f"{labels_file}: holds id 263 (1 pixel), no class of catalog cityscapes"


def test_16_bit_label_maps_of_a_small_catalog_are_read(cityscapes, labels_file, street_maps, encode_png):
    labels = street_maps(0)[0]
    labels_file.write_bytes(encode_png(labels.astype(np.uint16)))
    scene = CityscapesConfig(root=str(cityscapes)).open().read_scene(FIRST)
    assert scene.labels.dtype == np.uint8
    np.testing.assert_array_equal(scene.labels, labels)


def test_colors_in_place_of_ids_are_told(cityscapes, labels_file, encode_png):
    labels_file.write_bytes(encode_png(np.full((24, 40, 3), 128, np.uint8)))
    assert message_of_reading(cityscapes) == (
        f"{labels_file}: holds colours, not class ids; give the single-channel label map"
    )


def test_an_image_of_another_size_is_named_with_both_sizes(cityscapes, labels_file, image_file, encode_png):
    image_file.write_bytes(encode_png(np.zeros((12, 20, 3), np.uint8)))
    assert message_of_reading(cityscapes) == f"{image_file} is 20x12, its label map {labels_file} is 40x24"


def test_an_instance_map_of_another_size_is_named_with_both_sizes(cityscapes, labels_file, instances_file, encode_png):
    instances_file.write_bytes(encode_png(np.zeros((12, 20), np.uint16)))
    assert message_of_reading(cityscapes) == f"{instances_file} is 20x12, its label map {labels_file} is 40x24"


def test_an_instance_map_that_contradicts_the_labels_is_named(cityscapes, instances_file, street_maps, encode_png):
    instances = street_maps(0)[1]
    instances[0, 1] = 26009
    instances_file.write_bytes(encode_png(instances))
    assert message_of_reading(cityscapes) == (
        f"{instances_file}: instance map contradicts the label map at 1 pixels, first at row 0, column 1: "
        "instance 26009 on class 23"
    )


def test_an_instance_map_cut_to_8_bits_is_named(cityscapes, instances_file, street_maps, encode_png):
    instances_file.write_bytes(encode_png(street_maps(0)[1].astype(np.uint8)))
    assert message_of_reading(cityscapes).startswith(f"{instances_file}: instance map contradicts the label map at ")


def test_files_without_partner_are_known_and_left_out(cityscapes, image_file):
    image_file.unlink()
    lost = cityscapes / "leftImg8bit/train/ulm/ulm_000009_000019_leftImg8bit.png"
    lost.write_bytes(b"")
    source = CityscapesConfig(root=str(cityscapes)).open()
    assert list(source.keys()) == ["aachen_000001_000019", "ulm_000002_000019"]
    assert list(source.unpaired()) == [
        Unpaired(f"{cityscapes}/gtFine/train/aachen/{FIRST}_gtFine_labelIds.png", "no image of this name"),
        Unpaired(str(lost), "no label map of this name"),
    ]


def test_names_pair_and_never_the_order(cityscapes, street_maps):
    """A missing first image shifts every pair of lists that are only sorted."""
    (cityscapes / f"leftImg8bit/train/aachen/{FIRST}_leftImg8bit.png").unlink()
    source = CityscapesConfig(root=str(cityscapes)).open()
    for seed, key in ((1, "aachen_000001_000019"), (2, "ulm_000002_000019")):
        labels, _, image = street_maps(seed)
        pair = source.read(key)
        np.testing.assert_array_equal(pair.scene.labels, labels)
        np.testing.assert_array_equal(pair.image, image)


def test_a_scene_is_untouched_by_what_is_done_to_another(cityscapes):
    source = CityscapesConfig(root=str(cityscapes)).open()
    with pytest.raises(ValueError, match="read-only"):
        source.read_scene(FIRST).labels[0, 0] = 1
