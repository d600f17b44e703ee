import re
import struct
import zlib

import cv2
import numpy as np
import pytest

from label_editing.catalog import Catalog, ClassSpec
from pipeline.shards.pixels import (
    decode_image,
    decode_instances,
    decode_labels,
    encode_image,
    encode_instances,
    encode_labels,
)


def catalog_of(*ids: int) -> Catalog:
    return Catalog(
        name="toy",
        classes=tuple(ClassSpec(id=i, name=f"c{i}", color=(0, 0, 0), layer="object", thing=True) for i in ids),
    )


SMALL, WIDE, LARGE = catalog_of(7, 26), catalog_of(7, 90), catalog_of(7, 300)


def png_header(data: bytes) -> tuple[int, int, int, int]:
    """Width, height, bit depth and colour type, read from the bytes."""
    assert data[12:16] == b"IHDR"
    return struct.unpack(">IIBB", data[16:26])


def test_label_maps_are_8_bit_up_to_id_255_and_16_bit_above():
    labels = np.full((3, 5), 7, np.uint8)
    assert png_header(encode_labels(labels, SMALL)) == (5, 3, 8, 0)
    assert png_header(encode_labels(labels.astype(np.uint16), LARGE)) == (5, 3, 16, 0)


def test_instance_maps_are_16_bit_and_rgb_where_ids_need_more():
    labels = np.full((3, 5), 7, np.uint8)
    assert png_header(encode_instances(labels, None, SMALL)) == (5, 3, 16, 0)
    assert png_header(encode_instances(labels, None, WIDE)) == (5, 3, 8, 2)


@pytest.mark.parametrize(("catalog", "class_id"), [(SMALL, 26), (WIDE, 90), (LARGE, 300)])
def test_maps_come_back_as_they_were(catalog, class_id):
    labels = np.full((6, 9), class_id, np.uint16).astype(catalog.label_dtype)
    labels[:2] = 7
    instances = labels.astype(np.int32)
    instances[2:] = class_id * 1000 + np.arange(9) * 111
    assert (decode_labels(encode_labels(labels, catalog)) == labels).all()
    back = decode_instances(encode_instances(labels, instances, catalog))
    assert back.dtype == np.int32
    assert (back == instances).all()


def test_wide_instances_are_red_plus_256_green_plus_65536_blue():
    labels = np.full((1, 1), 90, np.uint8)
    data = encode_instances(labels, np.full((1, 1), 90_123, np.int32), WIDE)
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0]
    red, green, blue = zlib.decompress(data[start : start + length])[1:4]
    assert (red, green, blue) == (90_123 % 256, 90_123 // 256 % 256, 90_123 // 65536)


def test_more_than_a_thousand_instances_of_a_class_is_refused_with_advice():
    labels = np.full((1, 1001), 26, np.uint8)
    instances = 26_000 + np.arange(1001, dtype=np.int32)[None]
    message = (
        "instance 27000 lies on class 26 'c26' at row 0, column 1000; a scene holds at most 1000 instances of a class: "
        "leave the others as one group, with the bare class id 26"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encode_instances(labels, instances, SMALL)


def test_png_label_maps_are_written_with_the_defaults_of_opencv():
    labels = np.random.default_rng(0).choice(np.array([7, 26], np.uint8), (64, 64))
    assert encode_labels(labels, SMALL) == cv2.imencode(".png", labels)[1].tobytes()


def test_images_are_rgb_both_ways():
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 0] = 255
    assert (decode_image(encode_image(image, "png", 0)) == image).all()
    assert np.abs(decode_image(encode_image(image, "jpeg", 95)).astype(int) - image).max() <= 4


@pytest.mark.parametrize("data", [b"", b"not a png", encode_labels(np.zeros((9, 9), np.uint8), SMALL)[:40]])
def test_bytes_that_are_no_image_are_refused(data):
    with pytest.raises(ValueError, match=r"^not a readable image"):
        decode_labels(data)


def test_an_8_bit_instance_map_is_refused():
    data = encode_labels(np.zeros((4, 4), np.uint8), SMALL)
    with pytest.raises(ValueError, match=r"^instance map is uint8 with 1 channel; expected one channel of 16 bits, or"):
        decode_instances(data)
