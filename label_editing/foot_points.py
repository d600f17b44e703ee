"""Where objects of a class may put their feet, and how likely each place is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.ground import Ground
from label_editing.perspective import Perspective

GRID_PX = 8  # places are looked for on every eighth row and column
_NEXT_SUPPORT = 0.25  # how much rarer each further class of `support` is than the one before
_FEW_PLACES = 40  # a support class with fewer places than this is rarer in proportion

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FootPoints:
    """Places on a grid with the running sum of their weights."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    cumulative: _Floats

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """Row and column of one place."""
        at = int(np.searchsorted(self.cumulative, rng.random() * self.cumulative[-1], side="right"))
        at = min(at, len(self) - 1)
        # Anywhere in the grid cell, so that places do not repeat.
        row, column = rng.integers(-GRID_PX // 2, GRID_PX // 2, 2).tolist()
        return max(0, int(self.rows[at]) + row), max(0, int(self.columns[at]) + column)


def find_foot_points(
    canvas: Canvas, spec: ClassSpec, ground: Ground, view: Perspective | None, height_range: tuple[float, float]
) -> FootPoints:
    """Every place on the ground where the class would be of a height, over the picture's, within the range."""
    offset = min(GRID_PX // 2, canvas.height - 1, canvas.width - 1)
    grid = canvas.labels[offset::GRID_PX, offset::GRID_PX]
    rows, columns = ground.table[grid].nonzero()
    classes = grid[rows, columns]
    rows, columns = rows * GRID_PX + offset, columns * GRID_PX + offset
    near = np.ones(len(rows))
    if view is not None and spec.height_m is not None:
        heights = spec.height_m * view.scale * (rows / canvas.height - view.horizon)
        kept = (heights >= height_range[0]) & (heights <= height_range[1])
        rows, columns, classes, near = rows[kept], columns[kept], classes[kept], heights[kept]
    weights = _support_weights(canvas, ground.names, classes, near)
    return FootPoints(rows, columns, np.cumsum(weights))


def _support_weights(
    canvas: Canvas, names: Sequence[str], classes: npt.NDArray[np.integer], heights: _Floats
) -> _Floats:
    # Near ground is wide in the picture: over the square of heights, these come out evenly in their logarithm.
    weights = 1.0 / heights**2
    for rank, name in enumerate(names):
        on_it = classes == canvas.catalog.named(name).id
        count = int(np.count_nonzero(on_it))
        if count:
            share = _NEXT_SUPPORT**rank * min(1.0, count / _FEW_PLACES)
            weights[on_it] *= share / weights[on_it].sum()
    return weights
