"""One named instance becomes another class."""

from typing import Literal

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, need_instances, touched


class SetClass(Edit):
    """Give the instance of this id another class."""

    op: Literal["set_class"] = "set_class"
    instance: int = Field(ge=0, description="its id: class*1000+k")
    class_name: str = Field(alias="class", description="the class it becomes")

    def class_names(self) -> tuple[str, ...]:
        return (self.class_name,)

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        need_instances(canvas)
        spec = canvas.catalog.named(self.class_name)
        if self.instance not in canvas.table:
            raise CannotApply(f"no instance {self.instance}")
        instance = canvas.table[self.instance]
        if instance.class_id == spec.id:
            raise CannotApply(f"instance {self.instance} is a {spec.name} already")
        before = touched(canvas, instance, "removed")
        code = canvas.free_id(spec.id) if spec.thing else spec.id
        canvas.relabel({instance.id: code})
        after = (touched(canvas, canvas.table[code], "added"),) if spec.thing else ()
        return Done({"instance": self.instance, "class": spec.name, "code": code}, (before, *after))
