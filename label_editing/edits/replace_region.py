"""A region is taken from another scene: this street's sky line on that street."""

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext
from label_editing.edits.polygons import Polygon, polygon_mask
from label_editing.look_up import look_up
from label_editing.scene import LabelMap, Scene
from label_editing.views import view_of


class ReplaceRegion(Edit):
    """Take the background of a polygon, or of classes, from another scene at the same place under the horizon.

    Objects stay as they are in this scene, and none come from the other one.
    """

    op: Literal["replace_region"] = "replace_region"
    polygon: Polygon | None = Field(default=None, description="corners [x, y] in pixels")
    classes: tuple[str, ...] = Field(default=(), description="only where both scenes show one of these")
    align_horizon: bool = Field(default=True, description="shift the other scene so that the horizons meet")

    @model_validator(mode="after")
    def _some_region(self) -> Self:
        if self.polygon is None and not self.classes:
            raise ValueError("give a polygon, classes, or both")
        return self

    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        fitting = [
            s
            for s in context.scenes
            if s.key != canvas.key and s.labels.shape == canvas.labels.shape and s.catalog.name == canvas.catalog.name
        ]
        if not fitting:
            raise CannotApply("no other scene of this size and catalog to take a region from")
        other = fitting[int(rng.integers(len(fitting)))]
        box, region = (canvas.whole, None) if self.polygon is None else polygon_mask(canvas, self.polygon)
        shift = _horizon_shift(canvas, other, context) if self.align_horizon else 0
        taken, here = _shifted(other.labels, box, shift), canvas.labels[box.window]
        changes = taken != here
        changes &= self._exchangeable(canvas, here)
        changes &= self._exchangeable(canvas, taken)
        if region is not None:
            changes &= region
        if not changes.any():
            raise CannotApply(f"scene {other.key} shows nothing else there")
        canvas.paint_stuff(box, taken, changes)
        return Done({"other": other.key, "shift": shift, "pixels": int(np.count_nonzero(changes))})

    def _exchangeable(self, canvas: Canvas, labels: LabelMap) -> npt.NDArray[np.bool_]:
        table = canvas.catalog.fills_holes
        if self.classes:
            asked = np.zeros_like(table)
            asked[[canvas.catalog.named(name).id for name in self.classes]] = True
            table = table & asked
        return look_up(table, labels)


def _horizon_shift(canvas: Canvas, other: Scene, context: EditContext) -> int:
    """How many rows further down this scene's horizon is."""
    here, there = view_of(canvas, context.perspective), view_of(Canvas(other), context.perspective)
    if here is None or there is None:
        return 0
    return round(here.horizon_row(canvas.height) - there.horizon_row(other.height))


def _shifted(labels: LabelMap, box: Box, shift: int) -> LabelMap:
    """The box of a map moved down by `shift` rows; its first and last row go on beyond its ends."""
    rows = np.clip(np.arange(box.top, box.bottom) - shift, 0, labels.shape[0] - 1)
    return labels[rows, box.left : box.right]
