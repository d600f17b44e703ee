"""Left becomes right; what belongs to the camera, and classes asked for, stay where they are."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.background import fill_hole, has_background
from label_editing.boxes import Box, box_of
from label_editing.canvas import Canvas
from label_editing.changes import UNCHANGED, Codes
from label_editing.edits.base import CannotApply, Done, Edit, EditContext


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
        stays = _pixels_of(canvas.labels, sorted(kept))
        box = box_of(stays | stays[:, ::-1]) if stays.any() else None
        if box is None:
            canvas.flip()
            return Done({})
        before = canvas.codes(box)
        if not has_background(canvas):
            raise CannotApply("no background to continue where the picture's border was")
        canvas.flip()
        _put_back(canvas, box, before, stays)
        return Done({"kept": [canvas.catalog.with_id(i).name for i in sorted(kept)]})


def _pixels_of(labels: npt.NDArray[np.integer], class_ids: list[int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(labels.shape, np.bool_)
    for class_id in class_ids:
        mask |= labels == class_id
    return mask


def _put_back(canvas: Canvas, box: Box, before: Codes, stays: npt.NDArray[np.bool_]) -> None:
    """What stays goes back to its place; the places it was mirrored to show the background that was there."""
    left = stays[:, ::-1][box.window]
    stays = stays[box.window]
    vacated = left & ~stays
    was_background = canvas.catalog.fills_holes[np.minimum(before, len(canvas.catalog.fills_holes) - 1)]
    canvas.paint(box, np.where(stays | (vacated & was_background), before, np.int32(UNCHANGED)))
    hole = vacated & ~was_background
    if hole.any():
        fill_hole(canvas, box, hole)
