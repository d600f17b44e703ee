"""A contact sheet of a style bank: per class a row, per cluster crops of regions that fell into it."""

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.scene import class_of_instance
from pipeline.report.contact_sheet import paper, text_strip
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Pair, Source
from pipeline.styles.bank import WHOLE_IMAGE, Cluster, StyleBank

_CROP_PX = 64
_GAP_PX = 8
_HEAD_PX = 120
_SMALLEST_CROP_PX = 12
_CROPS_PER_CLUSTER = 3
_PAIRS_KEPT = 64
_BACKDROP = 235
_TITLE = "Looks of each class: every cluster's number and size, its tags, and what lies nearest to its centre."


def contact_sheet(bank: StyleBank, source: Source, catalog: Catalog, resolution: Resolution) -> Image:
    """Rows are classes, columns clusters by number, each with a few of its regions cut out of their images."""
    if not bank.by_class:
        return paper(_CROP_PX, _CROP_PX)
    reader = _Reader(source, resolution)
    columns = max((len(clusters) for clusters in bank.by_class.values()), default=1)
    rows = [
        _row("image" if class_id == WHOLE_IMAGE else catalog.with_id(class_id).name, clusters, columns, bank, reader)
        for class_id, clusters in sorted(bank.by_class.items())
    ]
    width = rows[0].shape[1]
    return np.concatenate([text_strip([(_GAP_PX, width - 2 * _GAP_PX, _TITLE)], width), *rows])


class _Reader:
    """Pairs of the source, the last few kept: neighbouring cells often show the same image."""

    def __init__(self, source: Source, resolution: Resolution) -> None:
        self._source, self._resolution = source, resolution
        self._known = frozenset(source.keys())
        self.pair = lru_cache(maxsize=_PAIRS_KEPT)(self._read)

    def _read(self, key: str) -> Pair | None:
        """The pair; None when the source has changed since the styles were fitted."""
        return self._source.read(key, self._resolution) if key in self._known else None


def _row(name: str, clusters: tuple[Cluster, ...], columns: int, bank: StyleBank, reader: _Reader) -> Image:
    wide = _CROPS_PER_CLUSTER * _CROP_PX
    width = _HEAD_PX + columns * (wide + _GAP_PX)
    row = paper(_CROP_PX, width)
    head = text_strip([(_GAP_PX, _HEAD_PX - 2 * _GAP_PX, name)], width)[:_CROP_PX]
    row[: len(head), :_HEAD_PX] = head[:, :_HEAD_PX]
    captions = []
    for column, cluster in enumerate(clusters):
        left = _HEAD_PX + column * (wide + _GAP_PX)
        for place, crop in enumerate(_crops(cluster, bank, reader)):
            start = left + place * _CROP_PX
            row[:, start : start + _CROP_PX] = crop
        captions.append((left, wide, ", ".join([f"{cluster.number}: {_counted(cluster)}", *cluster.tags])))
    return np.concatenate([row, text_strip(captions, width), paper(_GAP_PX, width)])


def _counted(cluster: Cluster) -> str:
    what = "image" if cluster.class_id == WHOLE_IMAGE else "region"
    return f"{cluster.size} {what}{'' if cluster.size == 1 else 's'}"


def _crops(cluster: Cluster, bank: StyleBank, reader: _Reader) -> Iterator[Image]:
    members = bank.members
    assert members is not None
    rows = bank.rows_of(cluster.class_id)
    rows = rows[members.cluster[rows] == cluster.number]
    nearest = rows[np.argsort(np.square(members.vectors[rows] - cluster.centre).sum(axis=1), kind="stable")]
    for row in nearest[:_CROPS_PER_CLUSTER]:
        pair = reader.pair(bank.image_keys[members.image[row]])
        if pair is not None and pair.image is not None:
            yield _largest_region(pair, pair.image, cluster.class_id)


def _largest_region(pair: Pair, image: Image, class_id: int) -> Image:
    """The largest region of the class, cut out and fitted into a square."""
    if class_id == WHOLE_IMAGE:
        return _fitted(image)
    regions = pair.scene.labels.astype(np.int32) if pair.scene.instances is None else pair.scene.instances
    ids, counts = np.unique(regions, return_counts=True)
    mine = class_of_instance(ids) == class_id
    if not mine.any():
        return np.full((_CROP_PX, _CROP_PX, 3), _BACKDROP, np.uint8)
    inside = regions == ids[mine][np.argmax(counts[mine])]
    rows, columns = _fullest_square(inside)
    return _fitted(np.where(inside[:, :, None], image, _BACKDROP).astype(np.uint8)[rows, columns])


def _fullest_square(inside: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """What of a region's box to show: all of a car, of a road the square that it fills best."""
    top, bottom = np.flatnonzero(inside.any(axis=1))[[0, -1]]
    left, right = np.flatnonzero(inside.any(axis=0))[[0, -1]]
    box = inside[top : bottom + 1, left : right + 1]
    short, long = sorted(box.shape)
    # A region up to twice as long as it is wide is shown whole.
    side = long if long <= 2 * short else max(short, _SMALLEST_CROP_PX)
    row, column = (_fullest(box.sum(axis=1 - axis), side) for axis in (0, 1))
    rows, columns = (min(side, length) for length in box.shape)
    return slice(top + row, top + row + rows), slice(left + column, left + column + columns)


def _fullest(counts: npt.NDArray[np.int64], length: int) -> int:
    """Where the window of this length with the largest sum begins."""
    if len(counts) <= length:
        return 0
    sums = np.convolve(counts, np.ones(length, np.int64), mode="valid")
    return int(np.argmax(sums))


def _fitted(picture: Image) -> Image:
    scale = _CROP_PX / max(picture.shape[:2])
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.full((_CROP_PX, _CROP_PX, 3), _BACKDROP, np.uint8)
    top, left = ((_CROP_PX - length) // 2 for length in small.shape[:2])
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square
