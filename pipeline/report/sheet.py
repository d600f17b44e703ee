"""Pictures for the sheets of a page, encoded for what they show."""

import cv2
import numpy as np

from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.page import Shot
from pipeline.shards.pixels import encode_image
from pipeline.sources.base import Image

_WIDEST_PX = 480  # more than a page shows


def photo_shot(picture: Image, name: str) -> Shot:
    """An image, as JPEG."""
    return Shot(encode_jpeg(_shrunk(picture)), name)


def map_shot(picture: Image, name: str) -> Shot:
    """A label map in colours, as PNG: its edges are sharp, and stay so when it is enlarged."""
    return Shot(encode_image(_shrunk(picture), "png", 0), name, flat=True)


def _shrunk(picture: Image) -> Image:
    if picture.shape[1] <= _WIDEST_PX:
        return picture
    height = max(1, round(picture.shape[0] * _WIDEST_PX / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (_WIDEST_PX, height), interpolation=cv2.INTER_AREA), np.uint8)
