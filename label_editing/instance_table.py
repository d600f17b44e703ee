"""The instances of a map with their boxes and areas, found in one pass over runs of equal ids."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.catalog import INSTANCES_PER_CLASS
from label_editing.scene import InstanceMap

_WORD = 8  # bytes read together


class Instance(NamedTuple):
    """One thing: its id (class*1000+k), the tight box around its pixels and how many there are."""

    id: int
    box: Box
    area: int

    @property
    def class_id(self) -> int:
        return self.id // INSTANCES_PER_CLASS

    @property
    def foot_row(self) -> int:
        """The lowest row it reaches: where it stands, and so how near it is."""
        return self.box.bottom - 1

    @property
    def height(self) -> int:
        return self.box.height


def run_starts(flat: npt.NDArray[Any], *others: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Where each run of equal values begins; of equal values in all the arrays, where there are several."""
    size = max(1, flat.size)
    begins = np.zeros(-(-size // _WORD) * _WORD, np.bool_)
    begins[0] = True
    np.not_equal(flat[1:], flat[:-1], out=begins[1:size])
    for other in others:
        begins[1:size] |= other[1:] != other[:-1]
    # Runs are few: eight pixels that begin none are passed over at once.
    words = (begins.view(np.uint64) != 0).nonzero()[0]
    rows, places = begins.reshape(-1, _WORD)[words].nonzero()
    return _WORD * words[rows] + places


def run_lengths(starts: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """How long the runs that begin there are, in an array of this size."""
    lengths = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1] = size - starts[-1]
    return lengths


def distinct(values: npt.NDArray[Any]) -> list[int]:
    """The values that occur, sorted. Sorts runs, not pixels."""
    flat = values.ravel()
    return sorted(set(flat[run_starts(flat)].tolist())) if flat.size else []


def find_instances(instances: InstanceMap) -> dict[int, Instance]:
    """Every instance of the map by id, in order of ids; groups (bare class ids) are not instances."""
    width = instances.shape[1]
    rows = np.flatnonzero(instances.max(axis=1) >= INSTANCES_PER_CLASS)
    if rows.size == 0:
        return {}
    # Most rows of most scenes show no instance: sky, and the road before the car.
    flat = instances[rows[0] : rows[-1] + 1].ravel()
    starts = run_starts(flat)
    ids = flat[starts]
    things = ids >= INSTANCES_PER_CLASS
    lengths = run_lengths(starts, flat.size)
    return _tabulate(ids[things], starts[things] + int(rows[0]) * width, lengths[things], width)


def _tabulate(
    ids: npt.NDArray[Any], starts: npt.NDArray[np.intp], lengths: npt.NDArray[np.intp], width: int
) -> dict[int, Instance]:
    ends = starts + lengths - 1
    # A run that goes on into the next row spans the whole width as far as its box is concerned.
    wraps = starts // width != ends // width
    lefts = np.where(wraps, 0, starts % width)
    rights = np.where(wraps, width - 1, ends % width)
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    firsts = run_starts(ids)
    tops = np.minimum.reduceat(starts[order] // width, firsts)
    bottoms = np.maximum.reduceat(ends[order] // width, firsts)
    left = np.minimum.reduceat(lefts[order], firsts)
    right = np.maximum.reduceat(rights[order], firsts)
    areas = np.add.reduceat(lengths[order], firsts)
    columns = (ids[firsts], tops, left, bottoms + 1, right + 1, areas)
    return {
        i: Instance(i, Box(t, le, b, r), a) for i, t, le, b, r, a in zip(*(c.tolist() for c in columns), strict=True)
    }
