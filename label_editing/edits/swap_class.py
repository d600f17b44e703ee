"""One class becomes another: all of it, chosen instances or regions, or a share of them."""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.boxes import Box, box_of
from label_editing.canvas import Canvas
from label_editing.catalog import INSTANCES_PER_CLASS, ClassSpec
from label_editing.changes import UNCHANGED
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, need_instances, touched
from label_editing.edits.where import Where, draw_some
from label_editing.instance_table import Instance


class SwapClass(Edit):
    """Turn one class into another. Regions of stuff that become a thing are an instance each."""

    op: Literal["swap_class"] = "swap_class"
    source: str = Field(alias="from", description="the class that changes")
    target: str = Field(alias="to", description="the class it becomes; never a void one")
    where: Where | None = Field(default=None, description="only instances (regions, of stuff) within these limits")
    fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="the share of them that changes")

    def class_names(self) -> tuple[str, ...]:
        return self.source, self.target

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        old, new = canvas.catalog.named(self.source), canvas.catalog.named(self.target)
        if new.void or new.layer in ("void", "fixed"):
            raise ValueError(f"swap_class to {new.name!r}: a void class is never a target")
        if new.thing:
            need_instances(canvas)
        if old.thing and canvas.instances is not None:
            return self._swap_instances(canvas, context, rng, old, new)
        if self._whole and not new.thing:
            return self._swap_everywhere(canvas, old, new)
        return self._swap_regions(canvas, context, rng, old, new)

    @property
    def _whole(self) -> bool:
        return self.where is None and self.fraction == 1.0

    def _drawn(
        self, canvas: Canvas, context: EditContext, rng: np.random.Generator, candidates: list[Instance]
    ) -> list[Instance]:
        fitting = candidates if self.where is None else self.where.choose(canvas, context, candidates)
        chosen = draw_some(fitting, self.fraction, None, rng)
        if not chosen:
            raise CannotApply(f"no {self.source} to change")
        return chosen

    def _swap_instances(
        self, canvas: Canvas, context: EditContext, rng: np.random.Generator, old: ClassSpec, new: ClassSpec
    ) -> Done:
        groups = self._whole and bool(np.any(canvas.instances == old.id))
        candidates = [i for i in canvas.table.values() if i.class_id == old.id]
        chosen = [] if groups and not candidates else self._drawn(canvas, context, rng, candidates)
        codes = _new_ids(canvas, chosen, new) if new.thing else dict.fromkeys((i.id for i in chosen), new.id)
        before = tuple(touched(canvas, i, "removed") for i in chosen)
        canvas.relabel(codes | ({old.id: new.id} if groups else {}))
        after = tuple(touched(canvas, canvas.table[code], "added") for code in codes.values()) if new.thing else ()
        return Done({"from": old.name, "to": new.name, "ids": {str(k): v for k, v in codes.items()}}, before + after)

    def _swap_everywhere(self, canvas: Canvas, old: ClassSpec, new: ClassSpec) -> Done:
        pixels = int(np.count_nonzero(canvas.labels == old.id))
        if pixels == 0:
            raise CannotApply(f"no {old.name} to change")
        canvas.relabel({old.id: new.id})
        return Done({"from": old.name, "to": new.name, "pixels": pixels})

    def _swap_regions(
        self, canvas: Canvas, context: EditContext, rng: np.random.Generator, old: ClassSpec, new: ClassSpec
    ) -> Done:
        found = _regions(canvas, old)
        if found is None:
            raise CannotApply(f"no {old.name} to change")
        box, components, regions = found
        chosen = self._drawn(canvas, context, rng, regions)
        ids = _free_ids(canvas, new, len(chosen)) if new.thing else [new.id] * len(chosen)
        table = np.full(len(regions) + 1, UNCHANGED, np.int32)
        for region, code in zip(chosen, ids, strict=True):
            table[region.id] = code
        canvas.paint(box, table[components])
        after = tuple(touched(canvas, canvas.table[i], "added") for i in ids) if new.thing else ()
        boxes = [list(region.box) for region in chosen]
        return Done({"from": old.name, "to": new.name, "regions": len(chosen), "boxes": boxes[:50]}, after)


def _new_ids(canvas: Canvas, chosen: list[Instance], new: ClassSpec) -> dict[int, int]:
    """An id of the new class for each: of the same number where that is free."""
    taken = {i for i in canvas.table if i // INSTANCES_PER_CLASS == new.id}
    codes: dict[int, int] = {}
    for instance in chosen:
        same = new.id * INSTANCES_PER_CLASS + instance.id % INSTANCES_PER_CLASS
        codes[instance.id] = same if same not in taken else _first_free(taken, new)
        taken.add(codes[instance.id])
    return codes


def _free_ids(canvas: Canvas, new: ClassSpec, count: int) -> list[int]:
    taken = {i for i in canvas.table if i // INSTANCES_PER_CLASS == new.id}
    ids = []
    for _ in range(count):
        ids.append(_first_free(taken, new))
        taken.add(ids[-1])
    return ids


def _first_free(taken: set[int], new: ClassSpec) -> int:
    first = new.id * INSTANCES_PER_CLASS
    for code in range(first, first + INSTANCES_PER_CLASS):
        if code not in taken:
            return code
    raise CannotApply(f"a scene holds at most {INSTANCES_PER_CLASS} instances of {new.name}")


def _regions(canvas: Canvas, old: ClassSpec) -> tuple[Box, npt.NDArray[np.int32], list[Instance]] | None:
    """Connected regions of a class, numbered from 1 within the box around them all."""
    mask = canvas.labels == old.id
    box = box_of(mask)
    if box is None:
        return None
    _, components, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask[box.window]).view(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    regions = []
    for number, (x, y, width, height, area) in enumerate(stats[1:].tolist(), start=1):
        top, left = box.top + y, box.left + x
        regions.append(Instance(number, Box(top, left, top + height, left + width), area))
    return box, components, regions
