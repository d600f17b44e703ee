"""How kerbs and the feet of walls run behind an object: the classes seen on its left and its right, joined by lines.

Each side is a column of runs, from top to bottom. Runs that both sides have, in the same order, are one strip of ground
that goes on behind the object; a run that only one side has tapers off towards the other.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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


def side_runs(codes: _Ints, seeds: _Bools, hole: _Bools, reach: int, on_left: bool) -> list[Run]:
    """What is seen beside the hole, row by row: the nearest seed on that side no further than `reach` columns."""
    if not on_left:
        width = hole.shape[1]
        mirrored = side_runs(codes[:, ::-1], seeds[:, ::-1], hole[:, ::-1], reach, on_left=True)
        return [
            r._replace(first_column=width - 1 - r.first_column, last_column=width - 1 - r.last_column) for r in mirrored
        ]
    rows = np.flatnonzero(hole.any(axis=1))
    edges = hole[rows].argmax(axis=1)
    columns = np.arange(hole.shape[1])
    beside = seeds[rows] & (columns < edges[:, None]) & (columns >= edges[:, None] - reach)
    seen = beside.any(axis=1)
    rows, beside = rows[seen], beside[seen]
    nearest = hole.shape[1] - 1 - beside[:, ::-1].argmax(axis=1)
    return _runs(codes[rows, nearest], rows, nearest)


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
            border = np.maximum(border, _line(_start(left, seen_left), _start(right, seen_right), columns))
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


def _start(runs: list[Run], k: int) -> tuple[float, float]:
    """Row and column at which run `k` begins: half way from the run above it."""
    if k == 0:
        return runs[0].first - 0.5, runs[0].first_column
    if k == len(runs):
        return runs[-1].last + 0.5, runs[-1].last_column
    above, below = runs[k - 1], runs[k]
    return (above.last + below.first + 1) / 2, (above.last_column + below.first_column) / 2


def _line(start: tuple[float, float], end: tuple[float, float], columns: _Ints) -> npt.NDArray[np.float64]:
    """The row of a straight line at each column, level beyond its ends."""
    (row, column), (end_row, end_column) = start, end
    along = np.clip((columns - column) / max(end_column - column, 1.0), 0.0, 1.0)
    return row + (end_row - row) * along
