"""Objects go, and what would be behind them shows."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from label_editing.background import fill_hole, has_background
from label_editing.canvas import Canvas
from label_editing.companions import companion_of
from label_editing.edits.base import CannotApply, Done, EditContext, touched
from label_editing.edits.selecting import SelectingEdit
from label_editing.instance_table import Instance


class RemoveInstances(SelectingEdit):
    """Take instances away and continue the background behind them. A rider goes with its bicycle."""

    op: Literal["remove_instances"] = "remove_instances"

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        gone = with_companions(canvas, self.choose(self.candidates(canvas, context), rng))
        record = tuple(touched(canvas, i, "removed") for i in gone)
        remove(canvas, gone)
        return Done({"ids": [i.id for i in gone]}, record)


def with_companions(canvas: Canvas, instances: Iterable[Instance]) -> list[Instance]:
    """The instances, each with what comes and goes with it, once."""
    found: dict[int, Instance] = {}
    for instance in instances:
        found[instance.id] = instance
        companion = companion_of(canvas, instance)
        if companion is not None:
            found[companion.id] = companion
    return list(found.values())


def remove(canvas: Canvas, instances: Iterable[Instance]) -> None:
    """Fill the pixels of instances with the background around; CannotApply, nothing painted, where there is none."""
    if not has_background(canvas):
        raise CannotApply("no background around to continue")
    for instance in sorted(instances, key=lambda i: i.foot_row):
        fill_hole(canvas, instance.box, canvas.mask_of(instance))
