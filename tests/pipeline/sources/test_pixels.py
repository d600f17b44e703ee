"""Ids come back exactly as a PNG stores them; what is damaged, cut short or absurd is refused before it is decoded."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from pipeline.resolution import Resolution
from pipeline.sources.pixels import decode_ids, decode_image, image_size, resize_ids, resize_image

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_values_of_any_depth_are_the_ids(depth, encode_png):
    ids = RNG.integers(0, 2**depth, (13, 21)).astype(np.uint16 if depth == 16 else np.uint8)
    np.testing.assert_array_equal(decode_ids(encode_png(ids, depth)), ids)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palette_files_give_indices_not_colors(depth, encode_png):
    ids = RNG.integers(0, 2**depth, (13, 21)).astype(np.uint8)
    palette = [tuple(int(v) for v in RNG.integers(0, 255, 3)) for _ in range(2**depth)]
    np.testing.assert_array_equal(decode_ids(encode_png(ids, depth, palette)), ids)


def test_rgb_files_give_red_green_and_blue_as_one_number(encode_png):
    colors = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    wanted = colors[..., 0] + 256 * colors[..., 1].astype(int) + 65536 * colors[..., 2].astype(int)
    np.testing.assert_array_equal(decode_ids(encode_png(colors)), wanted)


def test_files_of_opencv_read_back(encode_png):
    ids = RNG.integers(0, 65536, (13, 21)).astype(np.uint16)
    np.testing.assert_array_equal(decode_ids(cv2.imencode(".png", ids)[1].tobytes()), ids)


def test_images_are_rgb(encode_png):
    colors = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_image(encode_png(colors)), colors)


def test_an_image_is_not_turned_by_its_orientation_tag():
    jpeg = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))[1].tobytes()
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<I", 0)
    tag = b"Exif\0\0" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (16, 8, 3)
    assert decode_image(turned).shape == (8, 16, 3)


def test_a_png_cut_anywhere_is_refused(encode_png):
    data = encode_png(RNG.integers(0, 255, (13, 21)).astype(np.uint8))
    for length in range(8, len(data)):
        with pytest.raises(ValueError, match=f"^a truncated PNG: it ends after {length} bytes$"):
            decode_ids(data[:length])


def test_a_png_with_any_byte_flipped_is_refused(encode_png):
    ids = RNG.integers(0, 255, (5, 6)).astype(np.uint8)
    data = encode_png(ids)
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(ValueError, match="PNG"):
            decode_ids(flipped)


def test_a_jpeg_cut_anywhere_is_refused():
    data = cv2.imencode(".jpg", RNG.integers(0, 255, (64, 48, 3)).astype(np.uint8))[1].tobytes()
    assert image_size(data) == Resolution(48, 64)
    for length in range(2, len(data), 37):
        with pytest.raises(ValueError, match=f"^a truncated or damaged JPEG: it ends after {length} bytes$"):
            decode_image(data[:length])


def test_a_header_that_claims_too_much_is_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    bodies = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in bodies)
    with pytest.raises(ValueError, match=r"^its header says 100000x100000 pixels; at most 8192x8192 are read$"):
        decode_ids(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_what_is_no_picture_is_said_to_be_none():
    with pytest.raises(ValueError, match=r"^the file is empty$"):
        decode_ids(b"")
    with pytest.raises(ValueError, match=r"^neither a PNG nor a JPEG file$"):
        decode_image(b"<html>404</html>")


def test_a_jpeg_holds_no_ids():
    data = cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes()
    with pytest.raises(ValueError, match=r"^a JPEG cannot hold class or instance ids exactly; PNG is needed$"):
        decode_ids(data)


@pytest.mark.parametrize("size", [(5, 3), (21, 13), (64, 48), (7, 40)])
def test_ids_are_resized_to_the_pixel_under_each_centre(size):
    ids = RNG.integers(0, 99999, (13, 21)).astype(np.int32)
    resized = resize_ids(ids, Resolution(*size))
    for row in range(size[1]):
        for column in range(size[0]):
            assert resized[row, column] == ids[int((row + 0.5) / size[1] * 13), int((column + 0.5) / size[0] * 21)]


def test_a_shrunk_image_is_the_mean_of_what_each_pixel_covers():
    image = RNG.integers(0, 256, (16, 32, 3)).astype(np.uint8)
    means = image.reshape(4, 4, 8, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize_image(image, Resolution(8, 4)) - means).max() <= 0.5


def test_a_grown_image_keeps_its_place():
    image = np.zeros((16, 32, 3), np.uint8)
    image[8:, :] = 200
    grown = resize_image(image, Resolution(64, 32))
    assert grown.shape == (32, 64, 3)
    assert grown[:12].max() < 20
    assert grown[20:].min() > 180


def test_a_png_with_too_few_pixels_behind_sound_checksums_is_refused(encode_png):
    data = encode_png(np.full((10, 20), 7, np.uint8))
    start, length = data.index(b"IDAT"), len(zlib.compress(b"\0" * 50))
    short = b"IDAT" + zlib.compress(b"\0" * 50)
    end = data.index(b"IEND") - 4
    data = data[: start - 4] + struct.pack(">I", length) + short + struct.pack(">I", zlib.crc32(short)) + data[end:]
    with pytest.raises(ValueError, match=r"^cannot be decoded: the pixel data is damaged$"):
        decode_ids(data)
