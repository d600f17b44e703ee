"""Which cut-out to paste: from the bank, from the scene itself, or a made-up outline; of about the right size."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.instance_bank import BankEntry, InstanceBank, cut_outs
from label_editing.silhouettes import silhouette

Origin = Literal["auto", "bank", "scene", "silhouettes"]

_NUM_SILHOUETTES = 6
_SIZE_SPREAD = 0.35  # of the logarithm of the sizes that serve for one place
_RATHER_LARGER = 0.1  # shrunk cut-outs keep their outline, enlarged ones show their pixels
_OFF_MIDDLE = 0.15  # from this far off the middle, an object shows the side that faces the camera


class CutOuts:
    """The cut-outs of one class that an edit draws from, in order of their heights."""

    def __init__(self, entries: Sequence[BankEntry], heights: npt.NDArray[np.float64]) -> None:
        self._entries = entries
        self._order = np.argsort(heights, kind="stable")
        self._log_heights = np.log(heights[self._order])

    def draw(self, relative_height: float | None, rng: np.random.Generator) -> BankEntry:
        """One of about this height over the picture's."""
        if relative_height is None:
            return self._entries[int(rng.integers(len(self._entries)))]
        wanted = np.log(relative_height) + rng.laplace(_RATHER_LARGER, _SIZE_SPREAD)
        above = int(np.searchsorted(self._log_heights, wanted))
        below = max(0, above - 1)
        above = min(above, len(self._order) - 1)
        nearer_below = wanted - self._log_heights[below] < self._log_heights[above] - wanted
        return self._entries[int(self._order[below if nearer_below else above])]


def find_cut_outs(
    canvas: Canvas, bank: InstanceBank | None, spec: ClassSpec, origin: Origin, rng: np.random.Generator
) -> CutOuts | None:
    """What to draw from; None for a scene that was asked for and has none, ValueError for such a bank."""
    if origin == "bank" and bank is None:
        raise ValueError("cutouts: bank, but no instance bank is given")
    if bank is not None and (origin == "bank" or (origin == "auto" and spec.name in bank)):
        return CutOuts(bank.entries(spec.name), bank.relative_heights(spec.name))
    if origin != "silhouettes":
        own = [replace(entry, origin="scene") for entry in cut_outs(canvas, [spec.name])]
        if own or origin == "scene":
            return _of(own) if own else None
    return _of([silhouette(spec, rng) for _ in range(_NUM_SILHOUETTES)])


def _of(entries: list[BankEntry]) -> CutOuts:
    return CutOuts(entries, np.array([entry.relative_height for entry in entries]))


def draw_mirrored(entry: BankEntry, side: float, rng: np.random.Generator) -> bool:
    """Whether to mirror a cut-out that comes to stand this far off the middle: its inner side faces the camera."""
    coin = bool(rng.random() < 0.5)
    if min(abs(entry.side), abs(side)) < _OFF_MIDDLE or entry.origin == "silhouette":
        return coin
    return (entry.side > 0) != (side > 0)
