"""How kerbs and the feet of walls run behind an object: the classes seen on its left and its right, joined by lines.

Each side is a column of runs, from top to bottom. Runs that both sides have, in the same order, are one strip of ground
that goes on behind the object; a run that only one side has tapers off towards the other.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.scene import LabelMap

_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int32]


class Run(NamedTuple):
    """Rows first..last of one side show one class; the columns are where it was seen at both ends."""

    code: int
    first: int
    first_column: int
    last: int
    last_column: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Sides:
    """A window of a map around a hole. `plan` turns class ids into codes; seeds beyond `reach` columns do not count."""

    labels: LabelMap
    plan: _Ints
    seeds: _Bools
    hole: _Bools
    reach: int

    def runs(self, on_left: bool) -> list[Run]:
        """What is seen beside the hole on one side: the nearest seed of each row."""
        if on_left:
            return self._left_runs()
        mirrored = Sides(self.labels[:, ::-1], self.plan, self.seeds[:, ::-1], self.hole[:, ::-1], self.reach)
        last = self.hole.shape[1] - 1
        return [
            run._replace(first_column=last - run.first_column, last_column=last - run.last_column)
            for run in mirrored._left_runs()
        ]

    def _left_runs(self) -> list[Run]:
        rows = np.flatnonzero(self.hole.any(axis=1))
        edges = self.hole[rows].argmax(axis=1)
        most = int(edges.max())  # nothing right of the last edge is on the left
        columns, ends = np.arange(most), edges[:, None]
        beside = self.seeds[rows, :most] & (columns < ends) & (columns >= ends - self.reach)
        seen = beside.any(axis=1)
        nearest = most - 1 - beside[seen, ::-1].argmax(axis=1) if most else np.zeros(0, np.intp)
        above = _corner(self.seeds, int(rows[0]) - 1, int(edges[0]), self.reach)
        below = _corner(self.seeds, int(rows[-1]) + 1, int(edges[-1]), self.reach)
        places = np.array([*above, *zip(rows[seen], nearest, strict=True), *below], np.intp).reshape(-1, 2)
        return _runs(self.plan[self.labels[places[:, 0], places[:, 1]]], places[:, 0], places[:, 1])


def _corner(seeds: _Bools, row: int, column: int, reach: int) -> list[tuple[int, int]]:
    """The seed nearest to a corner of the hole on the row above or below it: what an object stands on shows there."""
    if not 0 <= row < len(seeds):
        return []
    columns = np.flatnonzero(seeds[row])
    near = columns[np.abs(columns - column) <= reach]
    return [(row, int(near[np.abs(near - column).argmin()]))] if near.size else []


def _runs(codes: _Ints, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> list[Run]:
    if rows.size == 0:
        return []
    starts = np.concatenate(([0], np.flatnonzero(codes[1:] != codes[:-1]) + 1))
    ends = np.append(starts[1:], rows.size) - 1
    fields = (codes[starts], rows[starts], columns[starts], rows[ends], columns[ends])
    return [Run(*values) for values in zip(*(f.tolist() for f in fields), strict=True)]


def align(left: list[Run], right: list[Run]) -> list[tuple[int | None, int | None]]:
    """Pairs of runs in order, None where a side lacks it: the longest strips that both sides can share."""
    n, m = len(left), len(right)
    best = np.zeros((n + 1, m + 1))
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i, j] = max(best[i + 1, j], best[i, j + 1], _shared(left[i], right[j]) + best[i + 1, j + 1])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < n and j < m:
        shared = _shared(left[i], right[j])
        if shared and best[i, j] == shared + best[i + 1, j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs + [(k, None) for k in range(i, n)] + [(None, k) for k in range(j, m)]


def _shared(one: Run, other: Run) -> int:
    return min(one.length, other.length) if one.code == other.code else 0


def join_sides(left: list[Run], right: list[Run], rows: _Ints, columns: _Ints) -> _Ints:
    """The code at each row and column between the two sides; at least one side must have a run."""
    if not left or not right:
        only = left or right
        pairs: list[tuple[int | None, int | None]] = [(k, k) for k in range(len(only))]
        left = right = only
    else:
        pairs = align(left, right)
    codes = _codes(pairs, left, right)
    strip = np.zeros((rows.size, columns.size), np.intp)
    border = np.full(columns.size, -np.inf)
    seen_left = seen_right = 0
    for place, (i, j) in enumerate(pairs):
        if place:
            border = np.maximum(border, _line(_span(left, seen_left), _span(right, seen_right), columns))
            strip += rows[:, None] >= border
        seen_left += i is not None
        seen_right += j is not None
    return np.array(codes, np.int32)[strip]


def _codes(pairs: list[tuple[int | None, int | None]], left: list[Run], right: list[Run]) -> list[int]:
    codes = []
    for i, j in pairs:
        if i is not None:
            codes.append(left[i].code)
        elif j is not None:
            codes.append(right[j].code)
    return codes


class _Span(NamedTuple):
    """Rows between which one run ends and the next begins on one side: apart where something hides them."""

    least: float
    most: float
    column: float


def _span(runs: list[Run], k: int) -> _Span:
    """Where run `k` begins."""
    if k == 0:
        return _Span(-np.inf, runs[0].first - 0.5, runs[0].first_column)
    if k == len(runs):
        return _Span(runs[-1].last + 0.5, np.inf, runs[-1].last_column)
    above, below = runs[k - 1], runs[k]
    return _Span(above.last + 0.5, below.first - 0.5, (above.last_column + below.first_column) / 2)


def _levelled(left: _Span, right: _Span) -> tuple[float, float]:
    """The rows of a border at both sides, as level as what is seen allows."""
    least, most = max(left.least, right.least), min(left.most, right.most)
    if least > most:  # one side is above the other
        return (left.most, right.least) if left.most < right.least else (left.least, right.most)
    if np.isinf(least):
        return most, most
    row = least if np.isinf(most) else (least + most) / 2
    return row, row


def _line(left: _Span, right: _Span, columns: _Ints) -> npt.NDArray[np.float64]:
    """The row of a straight border at each column, level beyond its ends."""
    start, end = _levelled(left, right)
    along = np.clip((columns - left.column) / max(right.column - left.column, 1.0), 0.0, 1.0)
    return start + (end - start) * along
