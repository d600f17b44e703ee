"""What an edit is: a small model that draws a change, makes it, and says in a record what it drew and did."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.changes import Change
from label_editing.instance_bank import InstanceBank
from label_editing.instance_table import Instance
from label_editing.perspective import Perspective
from label_editing.scene import Scene

NOT_DRAWN = "not drawn"  # by its probability
NO_INSTANCES = "the scene has no instance map"


class CannotApply(Exception):
    """An edit does not fit this scene. Its text becomes the reason in the record."""


class EditRefused(ValueError):
    """An edit that the recipe requires does not fit this scene: draw another source map."""

    def __init__(self, record: "EditRecord") -> None:
        super().__init__(f"required edit {record.op!r} does not apply: {record.reason}")
        self.record = record


@dataclass(frozen=True)
class EditContext:
    """What an edit may know besides the scene."""

    bank: InstanceBank | None = None
    perspective: Perspective | None = None  # of the source, for scenes with too few objects to measure their own
    scenes: tuple[Scene, ...] = ()  # others of the source, for replace_region


class TouchedInstance(BaseModel):
    """An instance that an edit added, removed or changed: as it is now, or as it was when removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    class_name: str
    box: Box
    area: int
    what: Literal["added", "removed", "changed"]


class EditRecord(BaseModel):
    """What an edit drew and did. `changes` (and those of `children`) replay it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    applied: bool
    reason: str = ""
    parameters: dict[str, Any] = {}
    instances: tuple[TouchedInstance, ...] = ()
    changes: tuple[Change, ...] = ()
    children: tuple["EditRecord", ...] = ()

    def to_json(self) -> str:
        """The record in one line; `EditRecord.model_validate_json` reads it back."""
        return self.model_dump_json()

    @model_serializer(mode="wrap")
    def _without_empty_parts(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Most records leave most fields empty, and a sample's json holds many records.
        return {key: value for key, value in handler(self).items() if key in ("op", "applied") or value}


@dataclass(frozen=True)
class Done:
    """What an edit hands back once it has painted."""

    parameters: dict[str, Any]
    instances: tuple[TouchedInstance, ...] = ()
    children: tuple[EditRecord, ...] = ()


class Edit(BaseModel, ABC):
    """One change to a scene."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    op: str
    probability: float = Field(default=1.0, ge=0.0, le=1.0, description="how often it is tried")
    required: bool = Field(default=False, description="draw another source map where it does not apply")

    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Every class it names, to be checked against a catalog before any work starts."""

    @abstractmethod
    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        """Draw and paint. CannotApply, before anything is painted, where it does not fit."""

    def apply(self, scene: Scene, context: EditContext, rng: np.random.Generator) -> tuple[Scene, EditRecord]:
        """The scene with the edit, and the record of it. EditRefused where it is required and does not fit."""
        canvas = Canvas(scene)
        record = self.draw(canvas, context, rng)
        return canvas.scene(), record

    def draw(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> EditRecord:
        """As `apply`, on a canvas that further edits share."""
        for name in self.class_names():
            canvas.catalog.named(name)
        if rng.random() >= self.probability:
            return EditRecord(op=self.op, applied=False, reason=NOT_DRAWN)
        try:
            done = self.change(canvas, context, rng)
        except CannotApply as refusal:
            record = EditRecord(op=self.op, applied=False, reason=str(refusal))
            if self.required:
                raise EditRefused(record) from refusal
            return record
        return EditRecord(
            op=self.op,
            applied=True,
            parameters=done.parameters,
            instances=done.instances,
            changes=canvas.take_changes(),
            children=done.children,
        )


def touched(canvas: Canvas, instance: Instance, what: Literal["added", "removed", "changed"]) -> TouchedInstance:
    """An instance as a record names it."""
    name = canvas.catalog.with_id(instance.class_id).name
    return TouchedInstance(id=instance.id, class_name=name, box=instance.box, area=instance.area, what=what)


def need_instances(canvas: Canvas) -> None:
    """CannotApply on a scene without instance map."""
    if canvas.instances is None:
        raise CannotApply(NO_INSTANCES)
