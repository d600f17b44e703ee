"""Objects grow or shrink where they stand."""

from collections import Counter
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, EditContext, TouchedInstance, touched
from label_editing.edits.repose import Lifted, whole_ones
from label_editing.edits.selecting import SelectingEdit
from label_editing.placement import Limits, Unfit
from label_editing.views import view_of


class ResizeInstances(SelectingEdit):
    """Scale whole instances about the point they stand on; what they no longer cover is filled."""

    op: Literal["resize_instances"] = "resize_instances"
    scale: tuple[float, float] = Field(default=(0.8, 1.25), description="least and most factor")
    min_visible: float = Field(default=0.4, ge=0.0, le=1.0, description="the share of a scaled object that must show")
    min_left_visible: float = Field(
        default=0.35, ge=0.0, le=1.0, description="the share of each covered object that must still show"
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        low, high = self.scale
        if not 0.0 < low <= high <= 10.0:
            raise ValueError(f"scale [{low:g}, {high:g}]: expected 0 < least <= most <= 10")
        return self

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        chosen = self.choose(whole_ones(canvas, self.candidates(canvas, context)), rng)
        view = view_of(canvas, context.perspective)
        limits = Limits(self.min_visible, self.min_left_visible)
        resized: list[dict[str, Any]] = []
        instances: list[TouchedInstance] = []
        reasons: Counter[str] = Counter()
        for instance in chosen:
            factor = float(np.exp(rng.uniform(*np.log(self.scale))))
            if instance.id not in canvas.table:  # one that grew hides it
                continue
            lifted = Lifted(canvas, canvas.table[instance.id], view)
            scaled = lifted.pose._replace(height_px=max(2, round(lifted.pose.height_px * factor)))
            try:
                new = lifted.put(scaled, limits)
            except Unfit as unfit:
                reasons[str(unfit)] += 1
                continue
            resized.append({"id": instance.id, "factor": round(factor, 4), "height_px": scaled.height_px})
            instances.extend(touched(canvas, i, "changed") for i in new)
        if not resized:
            raise CannotApply(reasons.most_common(1)[0][0])
        return Done({"resized": resized}, tuple(instances))
