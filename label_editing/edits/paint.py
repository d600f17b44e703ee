"""A polygon becomes a class: what an interactive editor exports."""

from typing import Literal

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.catalog import INSTANCES_PER_CLASS
from label_editing.changes import UNCHANGED
from label_editing.edits.base import Done, Edit, EditContext, need_instances, touched
from label_editing.edits.polygons import Polygon, polygon_mask


class Paint(Edit):
    """Paint a polygon with a class. A thing becomes a new instance, or joins the one that is named."""

    op: Literal["paint"] = "paint"
    polygon: Polygon = Field(description="corners [x, y] in pixels")
    class_name: str = Field(alias="class", description="the class to paint")
    instance: int | None = Field(default=None, ge=0, description="the instance id (class*1000+k) it joins")

    def class_names(self) -> tuple[str, ...]:
        return (self.class_name,)

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        spec = canvas.catalog.named(self.class_name)
        box, mask = polygon_mask(canvas, self.polygon)
        if not spec.thing:
            if self.instance is not None:
                raise ValueError(f"paint of {spec.name!r} as instance {self.instance}: a stuff class has none")
            code = spec.id
        else:
            need_instances(canvas)
            code = canvas.free_id(spec.id) if self.instance is None else self.instance
            if code // INSTANCES_PER_CLASS != spec.id:
                raise ValueError(f"paint of {spec.name!r} as instance {code}: that is none of its ids")
        canvas.paint(box, np.where(mask, np.int32(code), np.int32(UNCHANGED)))
        new = (touched(canvas, canvas.table[code], "added"),) if code in canvas.table else ()
        return Done({"class": spec.name, "code": code, "box": list(box)}, new)
