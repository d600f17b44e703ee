"""Every edit, by the name a recipe calls it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.base import Edit, EditContext, EditRecord, EditRefused
from label_editing.edits.crop_scene import CropScene
from label_editing.edits.drop import Drop
from label_editing.edits.mirror import Mirror
from label_editing.edits.move_instances import MoveInstances
from label_editing.edits.one_of import OneOf
from label_editing.edits.paint import Paint
from label_editing.edits.remove_instances import RemoveInstances
from label_editing.edits.repeat import Repeat
from label_editing.edits.replace_region import ReplaceRegion
from label_editing.edits.resize_instances import ResizeInstances
from label_editing.edits.set_class import SetClass
from label_editing.edits.swap_class import SwapClass
from label_editing.scene import Scene

__all__ = [
    "EDITS",
    "AnyEdit",
    "Edit",
    "EditContext",
    "EditRecord",
    "EditRefused",
    "apply_edits",
    "every_edit",
    "replay_edits",
]

EDITS: dict[str, type[Edit]] = {
    "swap_class": SwapClass,
    "remove_instances": RemoveInstances,
    "add_instances": AddInstances,
    "move_instances": MoveInstances,
    "resize_instances": ResizeInstances,
    "mirror": Mirror,
    "crop_scene": CropScene,
    "replace_region": ReplaceRegion,
    "paint": Paint,
    "set_class": SetClass,
    "drop": Drop,
    "one_of": OneOf,
    "repeat": Repeat,
}

AnyEdit = Annotated[
    SwapClass
    | RemoveInstances
    | AddInstances
    | MoveInstances
    | ResizeInstances
    | Mirror
    | CropScene
    | ReplaceRegion
    | Paint
    | SetClass
    | Drop
    | OneOf
    | Repeat,
    Field(discriminator="op"),
]

OneOf.model_rebuild(_types_namespace={"AnyEdit": AnyEdit})
Repeat.model_rebuild(_types_namespace={"AnyEdit": AnyEdit})


def apply_edits(
    edits: Sequence[Edit], scene: Scene, context: EditContext, rng: np.random.Generator
) -> tuple[Scene, list[EditRecord]]:
    """The scene with the edits in their order, and a record of each. EditRefused where a required one does not fit."""
    canvas = Canvas(scene)
    records = [edit.draw(canvas, context, rng) for edit in edits]
    return canvas.scene(), records


def every_edit(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits and those within them."""
    for edit in edits:
        yield edit
        if isinstance(edit, OneOf):
            yield from every_edit(edit.edits)
        elif isinstance(edit, Repeat):
            yield from every_edit([edit.edit])


def replay_edits(records: Iterable[EditRecord], scene: Scene) -> Scene:
    """The edited scene, byte for byte, from the one it was made of and the records alone."""
    canvas = Canvas(scene)
    for record in records:
        _replay(record, canvas)
    return canvas.scene()


def _replay(record: EditRecord, canvas: Canvas) -> None:
    for change in record.changes:
        canvas.apply(change)
    for child in record.children:
        _replay(child, canvas)
