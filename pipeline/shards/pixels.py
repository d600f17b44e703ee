"""Label maps, instance maps and images as the bytes that shards hold, and back."""

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import INSTANCES_PER_CLASS, Catalog
from label_editing.scene import InstanceMap, LabelMap, class_of_instance
from pipeline.sources.base import Image
from pipeline.sources.pixels import image_size

ImageKind = Literal["jpeg", "png"]
IMAGE_FIELDS: dict[ImageKind, str] = {"jpeg": "jpg", "png": "png"}


def encode_labels(labels: LabelMap, catalog: Catalog) -> bytes:
    """Class ids as PNG: 8 bits, or 16 where the catalog has ids above 255."""
    return _png(labels.astype(catalog.label_dtype, copy=False))


def encode_instances(labels: LabelMap, instances: InstanceMap | None, catalog: Catalog) -> bytes:
    """Instance ids as 16-bit PNG, or RGB (R + 256 G + 65536 B) where the catalog's ids need more."""
    if instances is None:
        instances = labels.astype(np.int32)
    _check_instances(labels, instances, catalog)
    if catalog.wide_instances:
        return _png(np.stack([(instances >> shift & 255).astype(np.uint8) for shift in (16, 8, 0)], axis=2))
    return _png(instances.astype(np.uint16))


def decode_labels(data: bytes) -> LabelMap:
    """The label map of a `seg.png`."""
    labels = _decode(data, cv2.IMREAD_UNCHANGED)
    if labels.ndim != 2 or labels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"label map is {_described(labels)}; expected one channel of 8 or 16 bits")
    return labels


def decode_instances(data: bytes) -> InstanceMap:
    """The instance map of an `inst.png`, 16-bit or RGB."""
    stored = _decode(data, cv2.IMREAD_UNCHANGED)
    if stored.ndim == 3 and stored.shape[2] == 3 and stored.dtype == np.uint8:
        blue, green, red = (stored[:, :, channel].astype(np.int32) for channel in range(3))
        return red + 256 * green + 65536 * blue
    if stored.ndim != 2 or stored.dtype != np.uint16:
        raise ValueError(f"instance map is {_described(stored)}; expected one channel of 16 bits, or RGB")
    return stored.astype(np.int32)


def encode_image(image: Image, kind: ImageKind, quality: int) -> bytes:
    """An RGB image as JPEG or PNG."""
    extension, flags = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]) if kind == "jpeg" else (".png", [])
    done, data = cv2.imencode(extension, image[:, :, ::-1], flags)
    if not done:
        raise ValueError(f"could not encode an image of shape {image.shape}")
    return data.tobytes()


def decode_image(data: bytes) -> Image:
    """The RGB image of a sample."""
    image = _decode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(image[:, :, ::-1])


def _png(pixels: npt.NDArray[Any]) -> bytes:
    # No compression flag: any level switches adaptive filters on, four times slower and larger on label maps.
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"could not encode a map of shape {pixels.shape} and type {pixels.dtype}")
    return data.tobytes()


def _decode(data: bytes, flags: int) -> npt.NDArray[Any]:
    try:
        image_size(data)  # refuses what is damaged, or so large that decoding it would take the machine down
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (ValueError, cv2.error) as error:
        what = error.err if isinstance(error, cv2.error) else error
        raise ValueError(f"not a readable image: {what}") from None
    if pixels is None:
        raise ValueError("not a readable image: its pixels are damaged")
    return pixels


def _check_instances(labels: LabelMap, instances: InstanceMap, catalog: Catalog) -> None:
    fits = instances.min(initial=0) >= 0 and instances.max(initial=0) <= np.iinfo(np.uint16).max
    # Half the bytes, half the time, and this runs on every pixel that is made.
    wrong = class_of_instance(instances.astype(np.uint16) if fits else instances) != labels
    if not wrong.any():
        return
    row, column = np.argwhere(wrong)[0]
    found, on = int(instances[row, column]), catalog.with_id(int(labels[row, column]))
    advice = ""
    if on.thing and found // INSTANCES_PER_CLASS > on.id:
        advice = (
            f"; a scene holds at most {INSTANCES_PER_CLASS} instances of a class: leave the others as one group, "
            f"with the bare class id {on.id}"
        )
    raise ValueError(f"instance {found} lies on class {on.id} {on.name!r} at row {row}, column {column}{advice}")


def _described(pixels: npt.NDArray[Any]) -> str:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    return f"{pixels.dtype} with {channels} channel{'s' if channels > 1 else ''}"
