"""Images that are nearly the same: within a set, and between a set and what it was learnt from."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.sources.base import Image

SAME_BELOW = 0.05  # mean difference of thumbnails, in their contrast: three grey levels of a usual photograph
_COPY_BELOW = 0.08  # the same with brightness and contrast taken out, which lets noise, gamma and JPEG come through
_LEAST_CONTRAST = 1.0  # grey levels; below it an image is flat
_THUMBNAIL = (32, 16)

Thumbnail = npt.NDArray[np.float32]
Thumbnails = npt.NDArray[np.float32]  # images x numbers


class Twin(NamedTuple):
    """Two images that are nearly the same."""

    one: int
    other: int
    difference: float  # mean, in terms of contrast


def thumbnail(image: Image) -> Thumbnail:
    """The image as a few numbers."""
    small = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def twins_within(thumbnails: Sequence[Thumbnail]) -> list[Twin]:
    """Each image whose nearest earlier one is nearly the same."""
    if not thumbnails:
        return []
    known = np.stack(thumbnails)
    contrasts = _contrasts(known)
    nearest = [
        (index, *_nearest(known[index], known[:index], contrasts[:index])) for index in range(1, len(thumbnails))
    ]
    return [Twin(*found) for found in nearest if found[2] < SAME_BELOW]


def twins_between(made: Sequence[Thumbnail], real: Sequence[Thumbnail]) -> list[Twin]:
    """Each made image that is nearly one of the real ones."""
    known = np.stack(real)
    contrasts = _contrasts(known)
    nearest = [(index, *_nearest(small, known, contrasts)) for index, small in enumerate(made)]
    return [Twin(*found) for found in nearest if found[2] < SAME_BELOW]


def copies_between(held: Sequence[Thumbnail], learned: Sequence[Thumbnail]) -> list[Twin]:
    """Each held image that shows what a learned one shows, be it brighter, of another contrast or mirrored."""
    known = _levelled(np.stack(learned))
    found = []
    for index, small in enumerate(held):
        mirrored = small.reshape(_THUMBNAIL[1], _THUMBNAIL[0], -1)[:, ::-1].ravel()
        either = [_nearest(seen, known, 1.0) for seen in _levelled(np.stack([small, mirrored]))]
        other, difference = min(either, key=lambda at: at[1])
        if difference < _COPY_BELOW:
            found.append(Twin(index, other, difference))
    return found


def _levelled(thumbnails: Thumbnails) -> Thumbnails:
    """Without brightness and contrast; flat ones, which have nothing else, stay as they are."""
    levelled = (thumbnails - thumbnails.mean(1, keepdims=True)) / _contrasts(thumbnails)[:, None]
    return np.where(thumbnails.std(1, keepdims=True) < _LEAST_CONTRAST, thumbnails, levelled)


def _contrasts(thumbnails: Thumbnails) -> Thumbnails:
    return np.maximum(thumbnails.std(1), _LEAST_CONTRAST)


def _nearest(small: Thumbnail, others: Thumbnails, contrasts: Thumbnails | float) -> tuple[int, float]:
    differences = np.abs(others - small).mean(1) / contrasts
    index = int(differences.argmin())
    return index, float(differences[index])
