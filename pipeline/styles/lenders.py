"""The training images that may lend their looks: all of them, or of a large source an even share."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.styles.bank import Members
from pipeline.styles.spool import Regions

MOST = 20_000  # images; as many looks as anyone can tell apart, and a bank of some tens of megabytes
_MOST_PARTS = 64  # sums kept apart before they are joined


class _Sums(NamedTuple):
    """Sums over regions of one image, class and cluster."""

    places: npt.NDArray[np.int64]  # class id, image, cluster
    size: npt.NDArray[np.int64]
    area: npt.NDArray[np.float64]
    weighted: npt.NDArray[np.float64]  # area times vector


class Lenders:
    """Every image is offered in turn; where there are too many, every second one goes, and again."""

    def __init__(self, dim: int) -> None:
        self._dim, self._step = dim, 1
        self._offered = 0
        self._known: dict[int, tuple[str, Mapping[str, str]]] = {}  # by position in the source
        self._parts: list[_Sums] = []

    def offer(self, key: str, attributes: Mapping[str, str]) -> None:
        """The next image of the source."""
        if self._offered % self._step == 0:
            self._known[self._offered] = (key, dict(attributes))
        self._offered += 1
        while len(self._known) > MOST:
            self._step *= 2
            self._known = {place: image for place, image in self._known.items() if place % self._step == 0}

    def images(self) -> tuple[tuple[str, ...], tuple[Mapping[str, str], ...]]:
        """Keys and attributes of those that lend."""
        return tuple(key for key, _ in self._known.values()), tuple(said for _, said in self._known.values())

    def add(self, class_id: int, numbers: npt.NDArray[np.integer], regions: Regions) -> None:
        """Regions of a class and the clusters they are in; only those of lending images are kept."""
        lends = regions.image % self._step == 0
        if lends.any():
            kept = regions.where(lends)
            places = np.stack([np.full(len(kept.image), class_id), kept.image, numbers[lends]], axis=1)
            ones = np.ones(len(kept.image), np.int64)
            weighted = kept.vectors.astype(np.float64) * kept.area[:, None]
            self._parts.append(_summed(_Sums(places, ones, kept.area, weighted)))
            if len(self._parts) >= _MOST_PARTS:
                self._parts = [_joined(self._parts)]

    def members(self, renumbered: Mapping[int, npt.NDArray[np.integer]]) -> Members | None:
        """One row per image, class and cluster: the mean over the image's regions, larger ones counting more."""
        if not self._parts:
            return None
        # An image on the border of two chunks has two parts.
        whole = _joined(self._parts)
        class_id, image, number = whole.places.T
        rank = {place: index for index, place in enumerate(self._known)}
        return Members(
            image=np.array([rank[place] for place in image.tolist()], np.int32),
            class_id=class_id.astype(np.int32),
            cluster=np.array(
                [renumbered[c][n] for c, n in zip(class_id.tolist(), number.tolist(), strict=True)], np.int32
            ),
            size=whole.size.astype(np.int32),
            vectors=(whole.weighted / whole.area[:, None]).astype(np.float32).reshape(-1, self._dim),
        )


def _joined(parts: Sequence[_Sums]) -> _Sums:
    return _summed(_Sums(*(np.concatenate(column) for column in zip(*parts, strict=True))))


def _summed(sums: _Sums) -> _Sums:
    """One row for every place."""
    places, row_of = np.unique(sums.places, axis=0, return_inverse=True)
    row_of = row_of.reshape(-1)
    most = len(places)
    weighted = [np.bincount(row_of, column, most) for column in sums.weighted.T]
    return _Sums(
        places,
        np.bincount(row_of, sums.size, most).astype(np.int64),
        np.bincount(row_of, sums.area, most).astype(np.float64),
        np.stack(weighted, axis=1),
    )
