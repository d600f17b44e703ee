"""Instance encodings that data sets use, each turned into class*1000+k on things and the class id elsewhere."""

from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import INSTANCES_PER_CLASS, Catalog
from label_editing.scene import InstanceMap, LabelMap, class_of_instance

InstanceEncoding = Literal["cityscapes1000", "div256", "rgb_panoptic", "separate"]
IdMap = npt.NDArray[Any]
InstanceDecoder = Callable[[IdMap, LabelMap, Catalog], InstanceMap]

_DIV = 256
_SMALLEST_COMPONENT_PX = 24  # smaller connected regions are specks of annotation, not objects


def from_cityscapes1000(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """Cityscapes: class*1000+k on things, the class id on stuff and on groups that were not separated."""
    return ids.astype(np.int32)


def where_seen(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """As `from_cityscapes1000`, but only where the labels are still those of the instances: the rest became void."""
    instances = from_cityscapes1000(ids, labels, catalog)
    return np.where(class_of_instance(instances) == labels, instances, labels).astype(np.int32)


def from_div256(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """KITTI and Mapillary: class*256+k, k = 0 where nothing was separated."""
    ids = ids.astype(np.int32)
    classes, k = ids // _DIV, ids % _DIV
    known = np.where(classes < len(catalog.is_thing), classes, 0)
    separated = (k > 0) & catalog.is_thing[known]
    return np.where(separated, classes * INSTANCES_PER_CLASS + k, classes).astype(np.int32)


def from_segments(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """COCO panoptic: R + 256 G + 65536 B is a segment of exactly one class; 0 is no segment."""
    pairs = _pairs(labels.ravel(), ids.ravel())
    segments = pairs[:, 1]
    repeated = np.flatnonzero((segments[1:] == segments[:-1]) & (segments[1:] != 0))
    if repeated.size:
        (first, segment), (second, _) = pairs[repeated[0]], pairs[repeated[0] + 1]
        raise ValueError(f"segment {segment} covers the classes {first} and {second}; a segment has one class")
    return number_instances(ids, labels, catalog)


def number_instances(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """Separate counts: any number above 0 is an object of the class under it; k follows the order of the numbers."""
    instances = labels.astype(np.int32)
    counted = (ids > 0) & catalog.is_thing[labels]
    pairs, inverse = np.unique(_packed(labels[counted], ids[counted]), return_inverse=True)
    classes = (pairs >> 32).astype(np.int64)
    _, starts, counts = np.unique(classes, return_index=True, return_counts=True)
    k = np.arange(len(pairs)) - np.repeat(starts, counts)
    _check_room(classes, k, catalog)
    instances[counted] = (classes * INSTANCES_PER_CLASS + k)[inverse]
    return instances


def from_components(labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """Where nobody separated objects: each connected region of a thing class is one; specks stay unseparated."""
    ids = np.zeros(labels.shape, np.int32)
    for spec in catalog.classes:
        mask = labels == spec.id
        if not spec.thing or not mask.any():
            continue
        _, regions, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] >= _SMALLEST_COMPONENT_PX
        large[0] = False
        ids += np.where(large, np.arange(len(stats)), 0).astype(np.int32)[regions]
    return number_instances(ids, labels, catalog)


def from_painted_counts(ids: IdMap, labels: LabelMap, catalog: Catalog) -> InstanceMap:
    """COCO-Stuff as SPADE prepares it: object polygons painted over the label map with a running count from 0.

    A count says neither its class nor, where it equals a label, whether it is a count at all; and polygons spill over
    the edges of the label map. So a count belongs to the thing class most of its pixels have, its other pixels stay
    unseparated, and a value that occurs as a label only under itself is no count.
    """
    things = catalog.is_thing[labels]
    pairs, areas = np.unique(_packed(ids[things], labels[things]), return_counts=True)
    counts, classes = pairs >> 32, pairs & 0xFFFFFFFF
    # The files store official ids minus one, and so does what shines through between the polygons.
    last = int(counts[counts != classes - 1].max(initial=-1))
    separate = np.zeros(labels.shape, np.int64)
    for count in range(last + 1):
        mine = counts == count
        if not mine.any():
            continue
        owner = classes[mine][areas[mine].argmax()]
        separate[(ids == count) & (labels == owner)] = count + 1
    return number_instances(separate, labels, catalog)


def _check_room(classes: IdMap, k: IdMap, catalog: Catalog) -> None:
    full = np.flatnonzero(k >= INSTANCES_PER_CLASS)
    if full.size:
        name = catalog.with_id(int(classes[full[0]])).name
        number = int((classes == classes[full[0]]).sum())
        raise ValueError(f"{number} instances of {name}; at most {INSTANCES_PER_CLASS} of a class fit a scene")


def _packed(high: IdMap, low: IdMap) -> npt.NDArray[np.int64]:
    return (high.astype(np.int64) << 32) | low.astype(np.int64)


def _pairs(labels: IdMap, ids: IdMap) -> npt.NDArray[np.int64]:
    """Every (label, id) that occurs together, in order of the id."""
    packed = np.unique(_packed(ids, labels))
    return np.stack([packed & 0xFFFFFFFF, packed >> 32], axis=1)


ENCODINGS: dict[InstanceEncoding, InstanceDecoder] = {
    "cityscapes1000": from_cityscapes1000,
    "div256": from_div256,
    "rgb_panoptic": from_segments,
    "separate": number_instances,
}
