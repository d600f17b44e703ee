"""Outlines of usual objects, drawn from a few shapes: what is pasted when neither bank nor scene has a cut-out."""

from collections.abc import Callable

import cv2
import numpy as np

from label_editing.catalog import ClassSpec
from label_editing.instance_bank import COMPANION, SELF, BankEntry, Parts, pack_parts

_HEIGHT = 160  # pixels that outlines are drawn at; they are scaled when pasted

Drawing = Callable[[np.random.Generator], Parts]


def silhouette(spec: ClassSpec, rng: np.random.Generator) -> BankEntry:
    """A made-up object of the class, a little different each time."""
    parts = _DRAWINGS.get(spec.name, _block)(rng)
    if not spec.companion:
        parts = np.minimum(parts, np.uint8(SELF))
    rows, columns = np.flatnonzero(parts.any(1)), np.flatnonzero(parts.any(0))
    parts = np.ascontiguousarray(parts[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    height, width = parts.shape
    return BankEntry(
        class_name=spec.name,
        height=height,
        width=width,
        packed=pack_parts(parts),
        foot_row=700,
        foot_column=1024,
        scene_height=1024,
        scene_width=2048,
        source_key="",
        companion=spec.companion[0] if spec.companion else "",
        origin="silhouette",
    )


def _sheet(aspect: float) -> Parts:
    return np.zeros((_HEIGHT, max(8, round(aspect * _HEIGHT))), np.uint8)


def _polygon(parts: Parts, points: list[tuple[float, float]], value: int = SELF) -> None:
    height, width = parts.shape
    corners = np.array([(x * (width - 1), y * (height - 1)) for x, y in points])
    cv2.fillPoly(parts, [np.rint(corners).astype(np.int32)], value)


def _disc(parts: Parts, x: float, y: float, radius: float, value: int = SELF) -> None:
    height, width = parts.shape
    cv2.circle(parts, (round(x * (width - 1)), round(y * (height - 1))), max(1, round(radius * height)), value, -1)


def _vehicle(cabin: float, aspect: tuple[float, float]) -> Drawing:
    """Seen from behind or askew: a body, a cabin of this share of the width, two wheels."""

    def draw(rng: np.random.Generator) -> Parts:
        parts = _sheet(rng.uniform(*aspect))
        inset = (1 - cabin) / 2 * rng.uniform(0.8, 1.2)
        _polygon(parts, [(0.02, 0.5), (0.06, 0.42), (0.94, 0.42), (0.98, 0.5), (0.98, 0.88), (0.02, 0.88)])
        _polygon(parts, [(inset + 0.05, 0.0), (0.95 - inset, 0.0), (1 - inset, 0.45), (inset, 0.45)])
        for left in (0.04, 0.78):
            _polygon(parts, [(left, 0.85), (left + 0.18, 0.85), (left + 0.18, 1.0), (left, 1.0)])
        return parts

    return draw


def _person(rng: np.random.Generator) -> Parts:
    parts = _sheet(0.42)
    stride = rng.uniform(0.02, 0.25)
    _disc(parts, 0.5, 0.075, 0.075)
    _polygon(parts, [(0.4, 0.1), (0.6, 0.1), (0.72, 0.18), (0.74, 0.52), (0.26, 0.52), (0.28, 0.18)])
    _polygon(parts, [(0.28, 0.5), (0.52, 0.5), (0.46 - stride, 1.0), (0.26 - stride, 1.0)])
    _polygon(parts, [(0.48, 0.5), (0.72, 0.5), (0.74 + stride, 1.0), (0.54 + stride, 1.0)])
    return parts


def _bicycle(rng: np.random.Generator) -> Parts:
    parts = _sheet(rng.uniform(1.2, 1.6))
    aspect = parts.shape[1] / parts.shape[0]
    radius = 0.29
    for x in (radius / aspect, 1 - radius / aspect):
        _disc(parts, x, 0.7, radius)
    _polygon(parts, [(0.25, 0.6), (0.42, 0.1), (0.5, 0.1), (0.74, 0.2), (0.8, 0.7), (0.5, 0.72)])
    return parts


def _rider(rng: np.random.Generator) -> Parts:
    return _rider_from_behind(rng) if rng.random() < 0.5 else _rider_from_the_side(rng)


def _rider_from_behind(rng: np.random.Generator) -> Parts:
    """One narrow wheel, the legs beside it, and the bar behind the hips."""
    parts = _sheet(rng.uniform(0.36, 0.44))
    _polygon(parts, [(0.45, 0.6), (0.55, 0.6), (0.57, 0.7), (0.55, 1.0), (0.45, 1.0), (0.43, 0.7)], COMPANION)
    _polygon(parts, [(0.0, 0.47), (1.0, 0.47), (1.0, 0.5), (0.0, 0.5)], COMPANION)
    _disc(parts, 0.5, 0.075, 0.07)
    _polygon(parts, [(0.4, 0.12), (0.6, 0.12), (0.86, 0.22), (0.97, 0.47), (0.84, 0.48), (0.74, 0.34), (0.72, 0.56)])
    _polygon(parts, [(0.6, 0.12), (0.4, 0.12), (0.14, 0.22), (0.03, 0.47), (0.16, 0.48), (0.26, 0.34), (0.28, 0.56)])
    _polygon(parts, [(0.28, 0.3), (0.72, 0.3), (0.72, 0.56), (0.5, 0.62), (0.28, 0.56)])
    lifted = rng.uniform(0.0, 0.08)
    for inner, outer, foot in ((0.44, 0.2, 0.92 - lifted), (0.56, 0.8, 0.84 + lifted)):
        _polygon(parts, [(inner, 0.55), (outer, 0.55), (outer, foot), (inner, foot)])
    return parts


def _rider_from_the_side(rng: np.random.Generator) -> Parts:
    """Two wheels apart, a frame between them, and a leg on the pedal."""
    parts = _sheet(rng.uniform(0.92, 1.05))
    aspect = parts.shape[1] / parts.shape[0]
    radius = 0.19
    back, front = radius / aspect, 1 - radius / aspect
    for x in (back, front):
        _disc(parts, x, 0.81, radius, COMPANION)
    _polygon(parts, [(back, 0.78), (0.36, 0.56), (0.72, 0.5), (front, 0.78), (0.7, 0.6), (0.52, 0.86)], COMPANION)
    _disc(parts, 0.54, 0.075, 0.075)
    _polygon(parts, [(0.46, 0.13), (0.58, 0.14), (0.6, 0.26), (0.46, 0.56), (0.32, 0.58), (0.34, 0.4)])
    _polygon(parts, [(0.54, 0.2), (0.6, 0.2), (0.74, 0.44), (0.7, 0.5), (0.52, 0.32)])
    knee = rng.uniform(0.55, 0.64)
    _polygon(parts, [(0.34, 0.5), (0.46, 0.5), (knee, 0.62), (0.56, 0.9), (0.48, 0.9), (0.5, 0.7), (0.34, 0.6)])
    return parts


def _animal(rng: np.random.Generator) -> Parts:
    parts = _sheet(rng.uniform(1.1, 1.5))
    _polygon(parts, [(0.1, 0.2), (0.75, 0.2), (0.82, 0.0), (1.0, 0.1), (0.98, 0.3), (0.82, 0.6), (0.1, 0.6)])
    for left in (0.12, 0.26, 0.6, 0.72):
        _polygon(parts, [(left, 0.5), (left + 0.09, 0.5), (left + 0.09, 1.0), (left, 1.0)])
    return parts


def _block(rng: np.random.Generator) -> Parts:
    parts = _sheet(rng.uniform(0.7, 1.3))
    _polygon(parts, [(0.1, 0.0), (0.9, 0.0), (1.0, 0.12), (1.0, 1.0), (0.0, 1.0), (0.0, 0.12)])
    return parts


_DRAWINGS: dict[str, Drawing] = {
    "car": _vehicle(0.8, (1.2, 2.2)),
    "truck": _vehicle(1.0, (0.8, 1.6)),
    "bus": _vehicle(1.0, (0.8, 1.8)),
    "caravan": _vehicle(1.0, (0.9, 1.4)),
    "trailer": _vehicle(1.0, (0.9, 1.6)),
    "train": _vehicle(1.0, (0.8, 1.4)),
    "person": _person,
    "pedestrian": _person,
    "bicycle": _bicycle,
    "motorcycle": _bicycle,
    "rider": _rider,
    "bicyclist": _rider,
    **dict.fromkeys(("dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "cat"), _animal),
}
