"""One edit out of several."""

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext

if TYPE_CHECKING:
    from label_editing.edits import AnyEdit


class OneOf(Edit):
    """Draw one of the edits, by weight."""

    op: Literal["one_of"] = "one_of"
    edits: tuple["AnyEdit", ...] = Field(min_length=1, description="the edits to draw from")
    weights: tuple[float, ...] | None = Field(
        default=None, description="how often each, in proportion; equally if not given"
    )

    @model_validator(mode="after")
    def _a_weight_each(self) -> Self:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.edits):
            raise ValueError(f"{len(self.weights)} weights for {len(self.edits)} edits")
        if min(self.weights) < 0 or not sum(self.weights) > 0:
            raise ValueError(f"weights {list(self.weights)}: expected none below 0 and one above")
        return self

    def class_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for edit in self.edits for name in edit.class_names()))

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        weights = np.cumsum(self.weights if self.weights is not None else np.ones(len(self.edits)))
        at = int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))
        record = self.edits[at].draw(canvas, context, rng)
        if not record.applied:
            raise CannotApply(f"{record.op}: {record.reason}")
        return Done({"drawn": at}, children=(record,))
