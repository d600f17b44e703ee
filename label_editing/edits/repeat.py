"""An edit several times over."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, field_validator

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext
from label_editing.edits.counts import Count, as_range

if TYPE_CHECKING:
    from label_editing.edits import AnyEdit


class Repeat(Edit):
    """Apply an edit a number of times, each with its own draws."""

    op: Literal["repeat"] = "repeat"
    edit: "AnyEdit" = Field(description="the edit")
    times: Count = Field(description="how often: a number or [least, most]")

    @field_validator("times")
    @classmethod
    def _ordered(cls, times: Count) -> Count:
        as_range(times)
        return times

    def class_names(self) -> tuple[str, ...]:
        return self.edit.class_names()

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        low, high = as_range(self.times)
        times = int(rng.integers(low, high + 1))
        records = tuple(self.edit.draw(canvas, context, rng) for _ in range(times))
        if records and not any(record.applied for record in records):
            raise CannotApply(f"{records[-1].op}: {records[-1].reason}")
        return Done({"times": times}, children=records)
