"""Objects stand somewhere else: shifted over what they stand on, as tall as they would be there."""

from collections import Counter
from typing import Any, Literal

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, EditContext, touched
from label_editing.edits.repose import Lifted, whole_ones
from label_editing.edits.selecting import SelectingEdit
from label_editing.instance_table import Instance
from label_editing.perspective import Perspective
from label_editing.placement import Limits, Pose, Unfit
from label_editing.views import view_of

_MOST_TRIES = 12  # poses tried for each object
_ROWS_OVER_COLUMNS = 0.15  # the ground is seen at a flat angle: a step away moves an object little in rows


class MoveInstances(SelectingEdit):
    """Shift whole instances along their support, scaled by the perspective; the place they leave is filled."""

    op: Literal["move_instances"] = "move_instances"
    max_shift: float = Field(default=0.2, gt=0.0, le=1.0, description="furthest shift over the width of the picture")
    min_visible: float = Field(default=0.4, ge=0.0, le=1.0, description="the share of a moved object that must show")
    min_left_visible: float = Field(
        default=0.35, ge=0.0, le=1.0, description="the share of each covered object that must still show"
    )

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        candidates = whole_ones(canvas, self.candidates(canvas, context))
        chosen = self.choose(candidates, rng)
        view = view_of(canvas, context.perspective)
        reasons: Counter[str] = Counter()
        moved = [self._move(canvas, i.id, view, rng, reasons) for i in chosen]
        done = [(described, new) for described, new in moved if new]
        if not done:
            raise CannotApply(reasons.most_common(1)[0][0])
        instances = tuple(touched(canvas, i, "changed") for _, new in done for i in new if i.id in canvas.table)
        return Done({"moved": [described for described, _ in done]}, instances)

    def _move(
        self,
        canvas: Canvas,
        instance_id: int,
        view: Perspective | None,
        rng: np.random.Generator,
        reasons: Counter[str],
    ) -> tuple[dict[str, Any], list[Instance]]:
        if instance_id not in canvas.table:  # it went along with its rider
            return {}, []
        lifted = Lifted(canvas, canvas.table[instance_id], view)
        old = lifted.pose
        limits = Limits(self.min_visible, self.min_left_visible)
        for _ in range(_MOST_TRIES):
            pose = self._shifted(canvas, old, view, rng)
            try:
                new = lifted.put(pose, limits)
            except Unfit as unfit:
                reasons[str(unfit)] += 1
                continue
            return {"id": instance_id, "from": list(old[:2]), "to": list(pose[:2]), "height_px": pose.height_px}, new
        return {}, []

    def _shifted(self, canvas: Canvas, old: Pose, view: Perspective | None, rng: np.random.Generator) -> Pose:
        across, along = rng.uniform(-1.0, 1.0, 2) * self.max_shift * canvas.width
        row = round(np.clip(old.foot_row + _ROWS_OVER_COLUMNS * along, 0, canvas.height - 1))
        height = old.height_px
        if view is not None:
            here, there = (view.pixels_per_metre(r, canvas.height) for r in (old.foot_row, row))
            if here > 0 and there > 0:
                height = max(2, round(height * there / here))
        return Pose(row, round(old.foot_column + across), height, False)
