"""World to pixels: which part is seen where, and from that labels, instances and the picture."""

from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.resolution import Resolution
from pipeline.sources.base import Image
from pipeline.sources.streetscapes.shading import shade_view
from pipeline.sources.streetscapes.shapes import Part
from pipeline.sources.streetscapes.surfaces import tabulate
from pipeline.sources.streetscapes.view import View
from pipeline.sources.streetscapes.world import World

_FRACTION_BITS = 4
_FARTHEST_PX = 60000.0  # points nearer the camera than the frame project far outside it
_FINE_UP_TO = 1024  # wider pictures have pixels enough to do without oversampling
SKY_PART = 0


class Rendered(NamedTuple):
    """The maps and the picture of a world at one resolution."""

    labels: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    image: Image | None


def rasterise(world: World, resolution: Resolution, with_image: bool = True) -> Rendered:
    """Labels and instances of a world, and the picture unless only the maps are wanted."""
    fine = 2 if resolution.width <= _FINE_UP_TO else 1
    view = View(resolution, fine)
    parts = world.painting_order()
    table = tabulate(world, parts)
    seen = _paint_parts(world, view, parts)
    at = seen[fine - 1 :: fine, fine - 1 :: fine] if fine > 1 else seen
    labels, instances = table.class_ids[at], table.instances[at]
    image = shade_view(world, view, table, seen) if with_image else None
    return Rendered(labels, instances, image)


def _paint_parts(world: World, view: View, parts: list[Part]) -> npt.NDArray[np.uint16]:
    """The index of the part seen at each fine pixel, painted from far to near. 0 is the sky."""
    if len(parts) >= 65535:
        raise ValueError(f"a world of {len(parts)} parts; at most 65534 can be told apart")
    polygons = chain.from_iterable(part.polygons for part in parts)
    numbers = chain.from_iterable(chain.from_iterable(polygons))
    points = np.fromiter(numbers, np.float64).reshape(-1, 3)
    pixels = view.pixels(world.camera.project(points))
    fixed = np.rint(np.clip(pixels, -_FARTHEST_PX, _FARTHEST_PX) * (1 << _FRACTION_BITS)).astype(np.int32)
    seen = np.full((view.height, view.width), SKY_PART, np.uint16)
    start = 0
    for index, part in enumerate(parts, start=1):
        outlines = []
        for polygon in part.polygons:
            end = start + len(polygon)
            outlines.append(fixed[start:end])
            start = end
        if outlines:
            cv2.fillPoly(seen, outlines, index, cv2.LINE_8, _FRACTION_BITS)
    return seen
