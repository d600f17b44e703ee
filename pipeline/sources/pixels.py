"""Bytes of a PNG or JPEG to pixels: label ids exactly as stored, images as RGB, nothing decoded that looks wrong."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.resolution import MOST_PIXELS, Resolution

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))


class _Chunk(NamedTuple):
    kind: bytes
    body: bytes


def image_size(data: bytes) -> Resolution:
    """Width and height as the header says; ValueError when this is no whole PNG or JPEG, or absurdly large."""
    if data.startswith(_PNG):
        width, height = struct.unpack(">II", _png_chunks(data)[0].body[:8])
    elif data.startswith(b"\xff\xd8"):
        width, height = _jpeg_size(data)
    else:
        raise ValueError("neither a PNG nor a JPEG file" if data else "the file is empty")
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise ValueError(f"its header says {width}x{height} pixels; at most 8192x8192 are read")
    return Resolution(width, height)


def decode_ids(data: bytes) -> npt.NDArray[Any]:
    """The numbers a PNG stores: palette indices rather than colours, 16 bits intact, RGB as R + 256 G + 65536 B."""
    image_size(data)
    if not data.startswith(_PNG):
        raise ValueError("a JPEG cannot hold class or instance ids exactly; PNG is needed")
    depth, kind = data[24], data[25]
    stored = _as_grey(data) if kind == _PALETTE else data
    pixels = _decode(stored, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        # OpenCV stretches 1, 2 and 4 bits to the full range; the ids are the numbers before that.
        return pixels if depth >= 8 else (pixels // (255 // (2**depth - 1))).astype(np.uint8)
    if pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"has {pixels.shape[2]} channels of {pixels.dtype}; ids are one channel, or 8-bit RGB")
    blue, green, red = (pixels[..., i].astype(np.int32) for i in range(3))
    return red + 256 * green + 65536 * blue


def decode_image(data: bytes) -> npt.NDArray[np.uint8]:
    """An RGB image, 8 bits a channel."""
    image_size(data)
    # A photograph turned by its EXIF tag would no longer lie on its label map.
    pixels = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def resize_ids(ids: npt.NDArray[Any], size: Resolution) -> npt.NDArray[Any]:
    """Nearest neighbour by pixel centres, so that labels, instances and image keep lying on each other."""
    height, width = ids.shape
    if (width, height) == size:
        return ids
    rows = (2 * np.arange(size.height) + 1) * height // (2 * size.height)
    columns = (2 * np.arange(size.width) + 1) * width // (2 * size.width)
    return ids[rows[:, None], columns]


def resize_image(image: npt.NDArray[np.uint8], size: Resolution) -> npt.NDArray[np.uint8]:
    """Area average where the image shrinks, cubic where it grows."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    shrinks = size.width <= width and size.height <= height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how)


def _decode(data: bytes, flags: int) -> npt.NDArray[Any]:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ValueError(f"cannot be decoded ({error.err})") from error
    if pixels is None:
        raise ValueError("cannot be decoded: the pixel data is damaged")
    return pixels


def _png_chunks(data: bytes) -> list[_Chunk]:
    chunks = list(_walk_png(data))
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].body) != 13:
        raise ValueError("a damaged PNG: it does not begin with a header")
    return chunks


def _walk_png(data: bytes) -> Iterator[_Chunk]:
    # OpenCV fills what a truncated or damaged PNG lacks, or prints to stderr: find out before it does.
    at = len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if len(check) < 4:
            break
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(check, "big"):
            raise ValueError(f"a damaged PNG: the checksum of its {kind.decode('latin-1')} part is wrong")
        yield _Chunk(kind, body)
        if kind == b"IEND":
            return
        at += 12 + length
    raise ValueError(f"a truncated PNG: it ends after {len(data)} bytes")


def _as_grey(data: bytes) -> bytes:
    """The same samples declared as grey: OpenCV turns palette indices into colours, from which ids don't come back."""
    parts = [_PNG]
    for kind, body in _png_chunks(data):
        if kind == b"IHDR":
            body = body[:9] + bytes([_GREY]) + body[10:]
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            crc = zlib.crc32(body, zlib.crc32(kind))
            parts += [len(body).to_bytes(4, "big"), kind, body, crc.to_bytes(4, "big")]
    return b"".join(parts)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    size = None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9].ljust(4, b"\0"))
            size = width, height
        if marker == 0xDA:  # from here on come the pixels, in which an end marker cannot occur by chance
            if size is not None and data.find(b"\xff\xd9", at) >= 0:
                return size
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError(f"a truncated or damaged JPEG: it ends after {len(data)} bytes")
