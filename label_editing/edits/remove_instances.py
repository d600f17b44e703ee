"""Objects go, and what would be behind them shows."""

from collections.abc import Iterable
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from label_editing.background import fill_hole, has_background
from label_editing.canvas import Canvas
from label_editing.companions import companion_of
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, need_instances, touched
from label_editing.edits.counts import Count, as_range
from label_editing.edits.selection import Where, draw_some
from label_editing.instance_table import Instance


class RemoveInstances(Edit):
    """Take instances away and continue the background behind them. A rider goes with its bicycle."""

    op: Literal["remove_instances"] = "remove_instances"
    classes: tuple[str, ...] = Field(min_length=1, description="the classes that may go")
    where: Where | None = Field(default=None, description="only instances within these limits")
    count: Count | None = Field(default=None, description="how many go: a number or [least, most]; all when left out")
    fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="the share that goes, instead of a count")

    @field_validator("count")
    @classmethod
    def _ordered(cls, count: Count | None) -> Count | None:
        return None if count is None else as_range(count)

    @model_validator(mode="after")
    def _count_or_fraction(self) -> Self:
        if self.count is not None and self.fraction != 1.0:
            raise ValueError("give either count or fraction, not both")
        return self

    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        need_instances(canvas)
        wanted = {canvas.catalog.named(name).id for name in self.classes}
        candidates = [i for i in canvas.table.values() if i.class_id in wanted]
        if self.where is not None:
            candidates = self.where.choose(canvas, context, candidates)
        chosen = draw_some(candidates, self.fraction, None if self.count is None else as_range(self.count), rng)
        if not chosen:
            raise CannotApply(f"no {' or '.join(self.classes)} to remove")
        gone = with_companions(canvas, chosen)
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
