"""Left becomes right; what belongs to the camera, and classes asked for, stay where they are."""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.background import fill_hole, has_background
from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext

_SQUARE = 64  # pixels


class Mirror(Edit):
    """Mirror the scene left to right. The own bonnet and the picture's border stay."""

    op: Literal["mirror"] = "mirror"
    keep: tuple[str, ...] = Field(default=(), description="further stuff classes that stay where they are")

    def class_names(self) -> tuple[str, ...]:
        return self.keep

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        kept = {c.id for c in canvas.catalog.classes if c.layer == "fixed"}
        for name in self.keep:
            spec = canvas.catalog.named(name)
            if spec.thing:
                raise ValueError(f"mirror keeps {name!r}: only stuff classes can stay where they are")
            kept.add(spec.id)
        if not has_background(canvas):
            raise CannotApply("no background to continue where the picture's border was")
        here = _places_of(canvas, sorted(kept))
        flat = canvas.labels.ravel()
        labels = flat[here]
        codes = labels.astype(np.int32) if canvas.instances is None else canvas.instances.ravel()[here]
        canvas.flip()
        _put_back(canvas, here, labels, codes, sorted(kept))
        return Done({"kept": [canvas.catalog.with_id(i).name for i in sorted(kept)]})


def _places_of(canvas: Canvas, class_ids: list[int]) -> npt.NDArray[np.intp]:
    """Where these classes are, and where mirroring takes them: positions in the flattened map."""
    mask = np.zeros(canvas.labels.shape, np.bool_)
    for class_id in class_ids:
        mask |= canvas.labels == class_id
    if not mask.any():
        return np.zeros(0, np.intp)
    both = cv2.bitwise_or(mask.view(np.uint8), cv2.flip(mask.view(np.uint8), 1))
    return np.flatnonzero(both.view(np.bool_))


def _put_back(
    canvas: Canvas,
    places: npt.NDArray[np.intp],
    labels: npt.NDArray[np.integer],
    codes: npt.NDArray[np.integer],
    class_ids: list[int],
) -> None:
    """What stays goes back to its place; the places it was mirrored to show the background that was there."""
    differs = canvas.labels.ravel()[places] != labels
    changed, labels, codes = places[differs], labels[differs], codes[differs]
    known = np.isin(labels, class_ids) | canvas.catalog.fills_holes[labels]
    canvas.paint_few(changed[known], codes[known].astype(np.int32))
    _fill(canvas, changed[~known])


def _fill(canvas: Canvas, places: npt.NDArray[np.intp]) -> None:
    """Continue the background into places that lie scattered along the border: square by square, as most are small."""
    rows, columns = np.divmod(places, canvas.width)
    squares = rows // _SQUARE * canvas.width + columns // _SQUARE
    for square in np.unique(squares).tolist():
        top, left = _SQUARE * (square // canvas.width), _SQUARE * (square % canvas.width)
        box = Box(top, left, top + _SQUARE, left + _SQUARE).clipped(canvas.height, canvas.width)
        hole = np.zeros((box.height, box.width), np.bool_)
        hole[rows[squares == square] - top, columns[squares == square] - left] = True
        fill_hole(canvas, box, hole)
