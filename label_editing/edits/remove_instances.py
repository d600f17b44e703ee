"""Objects go, and what would be behind them shows."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from label_editing.background import fill_hole, has_background
from label_editing.canvas import Canvas
from label_editing.companions import with_company
from label_editing.edits.base import CannotApply, Done, EditContext, touched
from label_editing.edits.selecting import SelectingEdit
from label_editing.instance_table import Instance


class RemoveInstances(SelectingEdit):
    """Take instances away and continue the background behind them.

    A rider and its bicycle or motorcycle go together, whichever of them is chosen.
    """

    op: Literal["remove_instances"] = "remove_instances"

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        gone = with_company(canvas, self.choose(self.candidates(canvas, context), rng))
        record = tuple(touched(canvas, i, "removed") for i in gone)
        remove(canvas, gone)
        return Done({"ids": [i.id for i in gone]}, record)


def remove(canvas: Canvas, instances: Iterable[Instance]) -> None:
    """Fill the pixels of instances with the background around; CannotApply, nothing painted, where there is none."""
    if not has_background(canvas):
        raise CannotApply("no background around to continue")
    for instance in sorted(instances, key=lambda i: i.foot_row):
        fill_hole(canvas, instance.box, canvas.mask_of(instance))
