"""Named instances go."""

from typing import Literal

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, need_instances, touched
from label_editing.edits.remove_instances import remove


class Drop(Edit):
    """Take away the instances of these ids, and nothing else; the background is continued behind them."""

    op: Literal["drop"] = "drop"
    instances: tuple[int, ...] = Field(min_length=1, description="their ids: class*1000+k")

    def class_names(self) -> tuple[str, ...]:
        return ()

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        need_instances(canvas)
        missing = [i for i in self.instances if i not in canvas.table]
        if missing:
            raise CannotApply(f"no instance {', '.join(map(str, missing))}")
        gone = [canvas.table[i] for i in dict.fromkeys(self.instances)]
        record = tuple(touched(canvas, i, "removed") for i in gone)
        remove(canvas, gone)
        return Done({"ids": [i.id for i in gone]}, record)
