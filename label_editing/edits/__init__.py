"""Every edit, by the name a recipe calls it."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from label_editing.canvas import Canvas
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.base import Edit, EditContext, EditRecord, EditRefused
from label_editing.edits.remove_instances import RemoveInstances
from label_editing.edits.swap_class import SwapClass
from label_editing.scene import Scene

__all__ = ["EDITS", "AnyEdit", "Edit", "EditContext", "EditRecord", "EditRefused", "apply_edits", "replay_edits"]

EDITS: dict[str, type[Edit]] = {
    "swap_class": SwapClass,
    "remove_instances": RemoveInstances,
    "add_instances": AddInstances,
}

AnyEdit = Annotated[SwapClass | RemoveInstances | AddInstances, Field(discriminator="op")]


def apply_edits(
    edits: Sequence[Edit], scene: Scene, context: EditContext, rng: np.random.Generator
) -> tuple[Scene, list[EditRecord]]:
    """The scene with the edits in their order, and a record of each. EditRefused where a required one does not fit."""
    canvas = Canvas(scene)
    records = [edit.draw(canvas, context, rng) for edit in edits]
    return canvas.scene(), records


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
