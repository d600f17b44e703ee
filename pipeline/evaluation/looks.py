"""What the surfaces of each class look like: sharpness and colour, gathered over many images."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.scene import LabelMap
from pipeline.sources.base import Image

_NUM_SUMS = 8  # pixels, sharpness, sums of R G B, sums of their squares


@dataclass(frozen=True)
class ClassLook:
    """One class over all its pixels."""

    pixels: int
    sharpness: float  # mean magnitude of the Laplacian of the luma, in grey levels
    color: tuple[float, float, float]
    color_spread: tuple[float, float, float]

    def as_data(self) -> dict[str, Any]:
        return {**vars(self), "color": list(self.color), "color_spread": list(self.color_spread)}


class Looks:
    """Sums over the pixels of each class."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._sums = np.zeros((_NUM_SUMS, catalog.num_channels), np.float64)

    def add(self, image: Image, labels: LabelMap) -> None:
        """Count one image."""
        channels = self._catalog.channel_of[labels].ravel()
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        colors = image.reshape(-1, 3).astype(np.float64)
        measured = [np.ones(labels.size), np.abs(cv2.Laplacian(luma, cv2.CV_32F)).ravel(), *colors.T, *(colors.T**2)]
        for row, values in enumerate(measured):
            self._sums[row] += np.bincount(channels, values, minlength=self._catalog.num_channels)

    def merge(self, other: "Looks") -> None:
        """Count all that another counted."""
        self._sums += other._sums

    def by_class(self) -> dict[str, ClassLook]:
        """The look of every class that occurs, void ones left out."""
        return {
            spec.name: _look(self._sums[:, rank])
            for rank, spec in enumerate(self._catalog.classes)
            if not spec.void and self._sums[0, rank]
        }


def color_distance(one: ClassLook, other: ClassLook) -> float:
    """Between mean colours, in grey levels."""
    return float(np.linalg.norm(np.subtract(one.color, other.color)))


def _look(sums: npt.NDArray[np.float64]) -> ClassLook:
    means = sums / sums[0]
    spread = np.sqrt(np.maximum(means[5:8] - means[2:5] ** 2, 0))
    return ClassLook(int(sums[0]), float(means[1]), _three(means[2:5]), _three(spread))


def _three(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = values.tolist()
    return red, green, blue
