"""The fields by which edits choose instances, and the choice."""

from typing import Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Edit, EditContext, need_instances
from label_editing.edits.counts import Count, as_range
from label_editing.edits.where import Where, draw_some
from label_editing.instance_table import Instance


class SelectingEdit(Edit):
    """An edit of instances chosen by class, limits and number."""

    classes: tuple[str, ...] = Field(min_length=1, description="the classes it may touch")
    where: Where | None = Field(default=None, description="only instances within these limits")
    count: Count | None = Field(default=None, description="how many: a number or [least, most]; all when left out")
    fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="the share of them, instead of a count")

    @field_validator("count")
    @classmethod
    def _ordered(cls, count: Count | None) -> Count | None:
        if count is not None:
            as_range(count)
        return count

    @model_validator(mode="after")
    def _count_or_fraction(self) -> Self:
        if self.count is not None and self.fraction != 1.0:
            raise ValueError("give either count or fraction, not both")
        return self

    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def candidates(self, canvas: Canvas, context: EditContext) -> list[Instance]:
        """The instances it may touch; CannotApply on a scene without instance map."""
        need_instances(canvas)
        wanted = {canvas.catalog.named(name).id for name in self.classes}
        found = [i for i in canvas.table.values() if i.class_id in wanted]
        return found if self.where is None else self.where.choose(canvas, context, found)

    def choose(self, candidates: list[Instance], rng: np.random.Generator) -> list[Instance]:
        """Those it touches; CannotApply where there is none."""
        chosen = draw_some(candidates, self.fraction, None if self.count is None else as_range(self.count), rng)
        if not chosen:
            raise CannotApply(f"no {' or '.join(self.classes)} to choose from")
        return chosen
