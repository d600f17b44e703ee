"""How kerbs and the feet of walls run behind an object: the classes seen on its left and its right, joined by lines.

Each side is a column of runs, from top to bottom. Runs that both sides have, in the same order, are one strip of ground
that goes on behind the object; a run that only one side has tapers off towards the other.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.scene import LabelMap

_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int32]
_Rows = npt.NDArray[np.float64]

_SLOPE_OVER_COLUMNS = (24, 60)  # least and most, beside the hole; half its width in between
_SEEN = 2  # rows between two runs, at most, where the border between them shows


class Run(NamedTuple):
    """Rows first..last of one side show one class; the columns are where it was seen at both ends.

    `slope` is how steeply the border with the run above falls to the right, beside the hole; None where that is hidden.
    """

    code: int
    first: int
    first_column: int
    last: int
    last_column: int
    slope: float | None = None

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def mirrored(self, width: int) -> "Run":
        """The same run in a window of this width that is mirrored back."""
        first, last, slope = width - 1 - self.first_column, width - 1 - self.last_column, self.slope
        return Run(self.code, self.first, first, self.last, last, None if slope is None else -slope)


@dataclass(frozen=True)
class Side:
    """What is seen left of a hole in a window of a map; right of it, where the maps are mirrored."""

    labels: LabelMap
    seeds: _Bools  # in the rows of the hole and in the one above and below, where the window has them
    hole: _Bools
    top: int  # where the hole begins in the window
    left: int
    mirrored: bool = False

    @classmethod
    def both(cls, labels: LabelMap, seeds: _Bools, hole: _Bools, inner: Box) -> tuple["Side", "Side"]:
        """Left and right of a hole that fills `inner`, a box in the window of `labels` and `seeds`."""
        near = seeds[max(0, inner.top - 1) : inner.bottom + 1]
        end = labels.shape[1] - inner.right
        right = cls(labels[:, ::-1], near[:, ::-1], hole[:, ::-1], inner.top, end, mirrored=True)
        return cls(labels, near, hole, inner.top, inner.left), right

    @property
    def reach(self) -> int:
        """Seeds further away, in columns, do not count."""
        return self.hole.shape[1]

    def runs(self, plan: _Ints) -> list[Run]:
        """The codes that `plan` gives to the classes beside the hole, from top to bottom."""
        runs = []
        for code, places in groupby(self._seen, key=lambda place: int(plan[place[2]])):
            strip = list(places)
            (first, first_column, _), (last, last_column, _) = strip[0], strip[-1]
            runs.append(Run(code, first, first_column, last, last_column))
        runs = runs[:1] + [below._replace(slope=self._slope(plan, above, below)) for above, below in pairwise(runs)]
        return [run.mirrored(self.labels.shape[1]) for run in runs] if self.mirrored else runs

    def lengths(self) -> list[tuple[int, int]]:
        """Classes beside the hole and over how many rows, from top to bottom."""
        return [(code, sum(1 for _ in places)) for code, places in groupby(place[2] for place in self._seen)]

    @cached_property
    def _seen(self) -> list[tuple[int, int, int]]:
        """Row, column and class of the nearest seed of each row of the hole, and of its upper and lower corner."""
        reach, width, offset = self.reach, self.seeds.shape[1], min(1, self.top)
        rows = np.flatnonzero(self.hole.any(axis=1)).tolist()
        edges = (self.hole.argmax(axis=1) + self.left).tolist()
        # As bytes: one search a row, that ends at the first seed, is quicker than looking at all pixels at once.
        seeds = self.seeds.tobytes()
        places = self._corner(seeds, offset + rows[0] - 1, edges[rows[0]])
        for row in rows:
            start, edge = (offset + row) * width, edges[row]
            at = seeds.rfind(1, start + edge - reach if edge > reach else start, start + edge)
            if at >= 0:
                places.append((row + self.top, at - start))
        places += self._corner(seeds, offset + rows[-1] + 1, edges[rows[-1]])
        return [(row, column, self.labels.item(row, column)) for row, column in places]

    def _corner(self, seeds: bytes, row: int, column: int) -> list[tuple[int, int]]:
        """The seed nearest to a corner of the hole on the row above or below it: what an object stands on shows there.

        Rows are those of `seeds`, which may begin above the hole.
        """
        if not 0 <= row < len(self.seeds):
            return []
        start, width = row * self.seeds.shape[1], self.seeds.shape[1]
        before = seeds.rfind(1, start + max(0, column - self.reach), start + column + 1) - start
        after = seeds.find(1, start + column, start + min(width, column + self.reach + 1)) - start
        near = [at for at in (before, after) if at >= 0]
        if not near:
            return []
        return [(row - min(1, self.top) + self.top, min(near, key=lambda at: abs(at - column)))]

    def _slope(self, plan: _Ints, above: Run, below: Run) -> float | None:
        """Of the border between two runs, over the columns left of where it was seen."""
        column, row = min(above.last_column, below.first_column), below.first
        least, most = _SLOPE_OVER_COLUMNS
        far = int(min(max(self.reach / 2, least), most))
        if below.first - above.last > _SEEN or column < far:
            return None
        top = max(0, row - far)
        codes = plan[self.labels[top : row + far, column - far : column - far // 3]]
        border = (codes[:-1] == above.code) & (codes[1:] == below.code)
        offsets = np.arange(top + 1 - row, top + len(codes) - row)
        away = np.where(border, np.abs(offsets)[:, None], 2 * far)
        rows = away.argmin(axis=0)
        found = border[rows, np.arange(rows.size)].nonzero()[0]
        if 2 * found.size < rows.size:
            return None
        return _median((offsets[rows[found]] / (found - far)).tolist())


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def align(left: list[Run], right: list[Run]) -> list[tuple[int | None, int | None]]:
    """Pairs of runs in order, None where a side lacks it: the longest strips that both sides can share."""
    n, m = len(left), len(right)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], _shared(left[i], right[j]) + best[i + 1][j + 1])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < n and j < m:
        shared = _shared(left[i], right[j])
        if shared and best[i][j] == shared + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
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
    codes = [run.code for run in (left[i] if i is not None else right[j or 0] for i, j in pairs)]
    joined = np.full((rows.size, columns.size), codes[0], np.int32)
    border = np.full(columns.size, -np.inf)
    for code, line in zip(codes[1:], _lines(pairs, left, right, columns), strict=True):
        border = np.maximum(border, line)
        first = int(np.searchsorted(rows, border.min()))
        if first < rows.size:
            # Whole numbers compare faster, and rows are whole.
            begins = np.ceil(np.minimum(border, rows[-1] + 1)).astype(np.int32)
            np.copyto(joined[first:], np.int32(code), where=rows[first:, None] >= begins)
    return joined


class _Span(NamedTuple):
    """Rows between which one run ends and the next begins on one side: apart where something hides them.

    `slope` is that of this border beside the hole, `trend` that of the borders of this side in common.
    """

    least: float
    most: float
    column: float
    slope: float | None = None
    trend: float | None = None

    @property
    def seen(self) -> bool:
        return self.most - self.least <= _SEEN

    @property
    def row(self) -> float:
        return (self.least + self.most) / 2


def _lines(
    pairs: list[tuple[int | None, int | None]], left: list[Run], right: list[Run], columns: _Ints
) -> list[_Rows]:
    """The rows of the borders between the strips, one by one from the top."""
    ends: list[tuple[_Span, _Span]] = []
    seen_left = seen_right = 0
    for i, j in pairs:
        ends.append((_span(left, seen_left), _span(right, seen_right)))
        seen_left += i is not None
        seen_right += j is not None
    lines = [_line(*end, columns) for end in ends]
    for k, (i, j) in enumerate(pairs[1:-1], start=1):
        (left_1, right_1), (left_2, right_2) = ends[k], ends[k + 1]
        if j is None:
            lines[k], lines[k + 1] = _wedge(left_1, left_2, right_1, columns) or (lines[k], lines[k + 1])
        elif i is None:
            lines[k], lines[k + 1] = _wedge(right_1, right_2, left_1, columns) or (lines[k], lines[k + 1])
    return lines[1:]


def _span(runs: list[Run], k: int) -> _Span:
    """Where run `k` begins."""
    if k == 0:
        return _Span(-np.inf, runs[0].first - 0.5, runs[0].first_column)
    if k == len(runs):
        return _Span(runs[-1].last + 0.5, np.inf, runs[-1].last_column)
    above, below = runs[k - 1], runs[k]
    column = (above.last_column + below.first_column) / 2
    slopes = [run.slope for run in runs if run.slope is not None]
    # One for all borders of a side, so that no strip grows where it is hidden.
    trend = _median(slopes) if slopes else None
    return _Span(above.last + 0.5, below.first - 0.5, column, below.slope, trend)


def _row_at_both(left: _Span, right: _Span) -> tuple[float, float]:
    """The rows of a border at both sides: going on as it does beside the hole, else as level as what is seen allows."""
    width = right.column - left.column
    if left.seen and left.trend is not None and not right.seen:
        return left.row, min(max(left.row + left.trend * width, right.least), right.most)
    if right.seen and right.trend is not None and not left.seen:
        return min(max(right.row - right.trend * width, left.least), left.most), right.row
    least, most = max(left.least, right.least), min(left.most, right.most)
    if least > most:  # one side is above the other
        return (left.most, right.least) if left.most < right.least else (left.least, right.most)
    if np.isinf(least):
        return most, most
    row = least if np.isinf(most) else (least + most) / 2
    return row, row


def _line(left: _Span, right: _Span, columns: _Ints) -> _Rows:
    """The row of a straight border at each column, level beyond its ends."""
    start, end = _row_at_both(left, right)
    return _through([(left.column, start), (max(right.column, left.column + 1), end)], columns)


def _through(points: list[tuple[float, float]], columns: _Ints) -> _Rows:
    """A line through points (column, row) from left to right, level beyond them."""
    across, down = np.array(points, np.float64).T
    return np.interp(columns.astype(np.float64), across, down)


def _wedge(upper: _Span, lower: _Span, end: _Span, columns: _Ints) -> tuple[_Rows, _Rows] | None:
    """Both borders of a strip that ends before the other side, where the borders go on as they do beside the hole."""
    if not (upper.seen and lower.seen and end.seen) or (upper.slope is None and lower.slope is None):
        return None
    width = end.column - upper.column
    if abs(width) < 1:
        return None
    above = (end.row - upper.row) / width if upper.slope is None else upper.slope
    below = (end.row - lower.row) / width if lower.slope is None else lower.slope
    closing = (above - below) * np.sign(width)  # rows a column, going away from where the strip shows
    if closing * abs(width) <= lower.row - upper.row:
        return None
    tip = float(np.sign(width) * (lower.row - upper.row) / closing)
    row = upper.row + above * tip
    point = (upper.column + tip, row)
    return (
        _through(sorted([(upper.column, upper.row), point, (end.column, end.row)]), columns),
        _through(sorted([(lower.column, lower.row), point, (end.column, end.row)]), columns),
    )
