"""Are the outlines of objects where the instance map has them?"""

from collections import Counter

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.scene import Scene, class_of_instance

_TOLERANCE = 0.0075  # of the diagonal, as in the boundary measure of DAVIS (Perazzi et al. 2016)

Mask = npt.NDArray[np.bool_]


class Boundaries:
    """Outline pixels of instances, and how many of them the judge's own boundaries meet."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._outline: Counter[str] = Counter()
        self._met: Counter[str] = Counter()

    def add(self, found: npt.NDArray[np.uint16], scene: Scene) -> None:
        """Count one predicted channel map; a scene without instance map counts nothing."""
        if scene.instances is None:
            return
        outlines = edges(scene.instances) & edges(scene.labels)
        near = _grown(edges(found), tolerance_px(scene.height, scene.width))
        owners = class_of_instance(scene.instances)
        for spec in self._catalog.classes:
            mine = outlines & (owners == spec.id) & (scene.instances >= 1000)
            if spec.thing and mine.any():
                self._outline[spec.name] += int(mine.sum())
                self._met[spec.name] += int((mine & near).sum())

    def merge(self, other: "Boundaries") -> None:
        """Count all that another counted."""
        self._outline.update(other._outline)
        self._met.update(other._met)

    def by_class(self) -> dict[str, float]:
        """Share of the outline that is met, of every thing class that occurs."""
        return {name: self._met[name] / count for name, count in self._outline.items()}

    def overall(self) -> float | None:
        """The same over all outlines; None when there are none."""
        total = sum(self._outline.values())
        return sum(self._met.values()) / total if total else None


def tolerance_px(height: int, width: int) -> int:
    """How far a boundary may lie off."""
    return max(1, round(_TOLERANCE * float(np.hypot(height, width))))


def edges(ids: npt.NDArray[np.integer]) -> Mask:
    """Pixels on either side of a change of id."""
    found = np.zeros(ids.shape, np.bool_)
    down, across = ids[1:] != ids[:-1], ids[:, 1:] != ids[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found


def _grown(mask: Mask, by_px: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(np.bool_)
