"""Images that are nearly the same: within a set, and between a set and what it was learnt from."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.base import Image

SAME_BELOW = 0.05  # mean difference of thumbnails, in their contrast: three grey levels of a usual photograph
_COPY_BELOW = 0.08  # the same with brightness and contrast taken out, which lets noise, gamma and JPEG come through
_LEAST_CONTRAST = 1.0  # grey levels: what is flat differs by its colour
_THUMBNAIL = (32, 16)

Thumbnail = npt.NDArray[np.float32]
Thumbnails = npt.NDArray[np.float32]  # images x numbers


class Twin(NamedTuple):
    """Two images that are nearly the same."""

    one: int
    other: int
    difference: float  # mean, in the contrast of the other one


def thumbnail(image: Image) -> Thumbnail:
    """The image as a few numbers."""
    small = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def twins_within(thumbnails: Sequence[Thumbnail]) -> list[Twin]:
    """Each image whose nearest earlier one is nearly the same."""
    found = []
    for index in range(1, len(thumbnails)):
        nearest, difference = _nearest(thumbnails[index], np.stack(thumbnails[:index]))
        if difference < SAME_BELOW:
            found.append(Twin(index, nearest, difference))
    return found


def twins_between(made: Sequence[Thumbnail], real: Sequence[Thumbnail]) -> list[Twin]:
    """Each made image that is nearly one of the real ones."""
    known = np.stack(real)
    nearest = [(index, *_nearest(small, known)) for index, small in enumerate(made)]
    return [Twin(*found) for found in nearest if found[2] < SAME_BELOW]


def copies_between(held: Sequence[Thumbnail], learned: Sequence[Thumbnail]) -> list[Twin]:
    """Each held image that shows what a learned one shows, be it brighter, of another contrast or mirrored."""
    known = _levelled(np.stack(learned))
    found = []
    for index, small in enumerate(held):
        mirrored = small.reshape(_THUMBNAIL[1], _THUMBNAIL[0], -1)[:, ::-1].ravel()
        either = [_nearest(seen, known) for seen in _levelled(np.stack([small, mirrored]))]
        other, difference = min(either, key=lambda at: at[1])
        if difference < _COPY_BELOW:
            found.append(Twin(index, other, difference))
    return found


def _levelled(thumbnails: Thumbnails) -> Thumbnails:
    """Without brightness and contrast."""
    return (thumbnails - thumbnails.mean(1, keepdims=True)) / _contrasts(thumbnails)[:, None]


def _contrasts(thumbnails: Thumbnails) -> Thumbnails:
    return np.maximum(thumbnails.std(1), _LEAST_CONTRAST)


def _nearest(small: Thumbnail, others: Thumbnails) -> tuple[int, float]:
    differences = np.abs(others - small).mean(1) / _contrasts(others)
    index = int(differences.argmin())
    return index, float(differences[index])
