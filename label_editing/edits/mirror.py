"""Left becomes right; what belongs to the camera, and classes asked for, stay where they are."""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.background import fill_hole, has_background
from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext
from label_editing.scene import LabelMap

_SQUARE = 64  # pixels
_ROWS = 64


class Mirror(Edit):
    """Mirror the scene left to right. The own bonnet and the picture's border stay."""

    op: Literal["mirror"] = "mirror"
    keep: tuple[str, ...] = Field(default=(), description="further stuff classes that stay where they are")

    def class_names(self) -> tuple[str, ...]:
        return self.keep

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        kept = {c.id for c in canvas.catalog.classes if c.layer == "fixed"}
        for name in self.keep:
            spec = canvas.catalog.named(name)
            if spec.thing:
                raise ValueError(f"mirror keeps {name!r}: only stuff classes can stay where they are")
            kept.add(spec.id)
        if not has_background(canvas):
            raise CannotApply("no background to continue where the picture's border was")
        labels = canvas.labels
        canvas.flip()
        if kept:
            _put_back(canvas, labels, sorted(kept))
        return Done({"kept": [canvas.catalog.with_id(i).name for i in sorted(kept)]})


def _put_back(canvas: Canvas, labels: LabelMap, class_ids: list[int]) -> None:
    """What stays goes back to its place; the places it was mirrored to show the background that was there."""
    known = canvas.catalog.fills_holes.copy()
    known[class_ids] = True
    back = np.zeros(labels.shape, np.bool_)
    hidden = []
    for top in range(0, canvas.height, _ROWS):  # so many rows stay in the processor's cache
        before, now = labels[top : top + _ROWS], canvas.labels[top : top + _ROWS]
        stay = (before == class_ids[0]).view(np.uint8)
        for class_id in class_ids[1:]:
            cv2.bitwise_or(stay, (before == class_id).view(np.uint8), stay)
        if stay.any():
            differs = cv2.bitwise_or(stay, cv2.flip(stay, 1)).view(np.bool_) & (before != now)
            changed = differs.ravel().nonzero()[0]
            unknown = changed[~known[before.ravel()[changed]]]
            differs.ravel()[unknown] = False
            back[top : top + _ROWS] = differs
            hidden.append(unknown + top * canvas.width)
    if hidden:
        canvas.paint_stuff(canvas.whole, labels, back)
        _fill(canvas, np.concatenate(hidden))


def _fill(canvas: Canvas, places: npt.NDArray[np.intp]) -> None:
    """Continue the background into places that lie scattered along the border: square by square, as most are small."""
    rows, columns = np.divmod(places, canvas.width)
    squares = rows // _SQUARE * canvas.width + columns // _SQUARE
    for square in np.unique(squares).tolist():
        top, left = _SQUARE * (square // canvas.width), _SQUARE * (square % canvas.width)
        box = Box(top, left, top + _SQUARE, left + _SQUARE).clipped(canvas.height, canvas.width)
        hole = np.zeros((box.height, box.width), np.bool_)
        hole[rows[squares == square] - top, columns[squares == square] - left] = True
        fill_hole(canvas, box, hole)
