"""Images that are nearly the same: within a set, and between a set and what it was learnt from."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.base import Image

SAME_BELOW = 3.0  # mean difference of thumbnails, in grey levels
_THUMBNAIL = (32, 16)

Thumbnails = npt.NDArray[np.float32]  # images x numbers


class Twin(NamedTuple):
    """Two images that are nearly the same."""

    one: int
    other: int
    difference: float  # mean, in grey levels


def thumbnail(image: Image) -> npt.NDArray[np.float32]:
    """The image as a few numbers."""
    small = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def twins_within(thumbnails: Sequence[npt.NDArray[np.float32]]) -> list[Twin]:
    """Each image whose nearest earlier one is nearly the same."""
    found = []
    for index in range(1, len(thumbnails)):
        nearest, difference = _nearest(thumbnails[index], np.stack(thumbnails[:index]))
        if difference < SAME_BELOW:
            found.append(Twin(index, nearest, difference))
    return found


def twins_between(made: Sequence[npt.NDArray[np.float32]], real: Sequence[npt.NDArray[np.float32]]) -> list[Twin]:
    """Each made image that is nearly one of the real ones."""
    known = np.stack(real)
    nearest = [(index, *_nearest(small, known)) for index, small in enumerate(made)]
    return [Twin(*found) for found in nearest if found[2] < SAME_BELOW]


def _nearest(small: npt.NDArray[np.float32], others: Thumbnails) -> tuple[int, float]:
    differences = np.abs(others - small).mean(1)
    index = int(differences.argmin())
    return index, float(differences[index])
