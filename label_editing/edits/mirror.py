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
        before, before_instances = canvas.labels, canvas.instances
        stays = _pixels_of(before, sorted(kept))
        canvas.flip()
        if stays.any():
            _put_back(canvas, before, before if before_instances is None else before_instances, stays)
        return Done({"kept": [canvas.catalog.with_id(i).name for i in sorted(kept)]})


def _pixels_of(labels: npt.NDArray[np.integer], class_ids: list[int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(labels.shape, np.bool_)
    for class_id in class_ids:
        mask |= labels == class_id
    return mask


def _put_back(
    canvas: Canvas, labels: npt.NDArray[np.integer], codes: npt.NDArray[np.integer], stays: npt.NDArray[np.bool_]
) -> None:
    """What stays goes back to its place; the places it was mirrored to show the background that was there."""
    moved_to = cv2.flip(stays.view(np.uint8), 1).view(np.bool_)
    changed = np.flatnonzero((stays | moved_to) & (canvas.labels != labels))
    known = stays.ravel()[changed] | canvas.catalog.fills_holes[labels.ravel()[changed]]
    canvas.paint_few(changed[known], codes.ravel()[changed[known]].astype(np.int32))
    if known.all():
        return
    hole = np.zeros(labels.shape, np.bool_)
    hole.ravel()[changed[~known]] = True
    middle = canvas.width // 2
    for half in (Box(0, 0, canvas.height, middle), Box(0, middle, canvas.height, canvas.width)):
        fill_hole(canvas, half, hole[half.window])
