"""How tall things are at each row: a pinhole camera over flat ground.

An object of H metres whose foot lies on row y is H * scale * (y - horizon) pixels tall, where scale is one over the
height of the camera. Two numbers describe a view, and every whole object of known height is a measurement of both.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from label_editing.catalog import Catalog
from label_editing.instance_table import Instance

FEWEST_OBJECTS = 4
_LEAST_SPREAD = 0.04  # of the image height between near and far feet, or the slope is a guess
_ROUNDS = 8


class Perspective(BaseModel):
    """A view, in fractions of the image height so that it holds at any resolution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon: float = Field(description="row of the horizon / image height")
    scale: float = Field(gt=0, description="1 / camera height in metres")
    objects: int = Field(default=0, ge=0, description="how many objects it was measured from")

    def horizon_row(self, height: int) -> float:
        """The row of the horizon in a map of this height."""
        return self.horizon * height

    def pixels_per_metre(self, foot_row: float, height: int) -> float:
        """How many pixels a metre of height takes for an object whose foot is on this row; 0 above the horizon."""
        return max(0.0, self.scale * (foot_row - self.horizon_row(height)))

    def distance_m(self, foot_row: float, height: int, focal_px: float) -> float:
        """How far an object on this row is, infinite at the horizon."""
        pixels = self.pixels_per_metre(foot_row, height)
        return focal_px / pixels if pixels > 0 else float("inf")


def measured_objects(
    table: Iterable[Instance], catalog: Catalog, height: int, width: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Foot rows and pixels a metre, both over the image height, of objects that no border cuts."""
    feet, sizes = [], []
    for instance in table:
        metres = catalog.with_id(instance.class_id).height_m
        box = instance.box
        if metres and box.top > 0 and box.left > 0 and box.right < width and box.bottom < height and box.height > 8:
            feet.append(box.bottom / height)
            sizes.append(box.height / metres / height)
    return np.array(feet), np.array(sizes)


def fit_perspective(
    feet: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], prior: Perspective | None = None
) -> Perspective | None:
    """The view that objects agree on, by least squares that lets go of outliers; `prior` where they are too few."""
    if feet.size < FEWEST_OBJECTS or np.ptp(feet) < _LEAST_SPREAD:
        return prior
    weights = np.ones_like(feet)
    slope, offset = 0.0, 0.0
    for _ in range(_ROUNDS):
        slope, offset = _weighted_line(feet, sizes, weights)
        residuals = np.abs(sizes - slope * feet - offset)
        spread = max(1.5 * float(np.median(residuals)), 1e-4)
        weights = 1.0 / (1.0 + (residuals / spread) ** 2)
    if slope <= 0 or not 0.0 < -offset / slope < feet.min():
        return prior
    return Perspective(horizon=-offset / slope, scale=slope, objects=feet.size)


def _weighted_line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], w: npt.NDArray[np.float64]
) -> tuple[float, float]:
    total = w.sum()
    mean_x, mean_y = float(w @ x / total), float(w @ y / total)
    away = w * (x - mean_x)
    slope = float(away @ (y - mean_y)) / max(float(away @ (x - mean_x)), 1e-12)
    return slope, mean_y - slope * mean_x
