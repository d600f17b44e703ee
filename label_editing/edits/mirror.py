"""Left becomes right; what belongs to the camera, and classes asked for, stay where they are."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from label_editing.background import fill_hole, has_background
from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext
from label_editing.look_up import look_up
from label_editing.scene import LabelMap

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
        labels = canvas.labels
        canvas.flip()
        if kept:
            _put_back(canvas, labels, sorted(kept))
        return Done({"kept": [canvas.catalog.with_id(i).name for i in sorted(kept)]})


def _put_back(canvas: Canvas, labels: LabelMap, class_ids: list[int]) -> None:
    """What stays goes back to its place; the places it was mirrored to show the background that was there."""
    known = canvas.catalog.fills_holes.copy()
    known[class_ids] = True
    hidden = []
    for box in _places_of(labels, class_ids):
        before, now = labels[box.window], canvas.labels[box.window]
        differs = before != now
        differs &= _mask_of(before, class_ids) | _mask_of(now, class_ids)
        back = look_up(known, before)
        back &= differs
        canvas.paint_stuff(box, before, back)
        differs ^= back
        rows, columns = np.divmod(np.flatnonzero(differs), box.width)
        hidden.append((rows + box.top) * canvas.width + columns + box.left)
    if hidden:
        _fill(canvas, np.concatenate(hidden))


def _mask_of(labels: LabelMap, class_ids: list[int]) -> npt.NDArray[np.bool_]:
    first, last = class_ids[0], class_ids[-1]
    if last - first == len(class_ids) - 1:
        # One comparison does for ids in a row: below the first, unsigned numbers wrap round.
        return (labels - labels.dtype.type(first)) <= last - first
    mask = labels == first
    for class_id in class_ids[1:]:
        mask |= labels == class_id
    return mask


def _places_of(labels: LabelMap, class_ids: list[int]) -> list[Box]:
    """Boxes around these classes and where they are mirrored to: most rows have them at both ends alone."""
    height, width = labels.shape
    ends = [(0, _SQUARE), (width - _SQUARE, width)]
    boxes: list[Box] = []
    for top in range(0, height, _SQUARE):
        columns = np.flatnonzero(_mask_of(labels[top : top + _SQUARE], class_ids).any(axis=0))
        if columns.size == 0:
            continue
        inner = columns[(columns >= _SQUARE) & (columns < width - _SQUARE)]
        spans = [(0, width)] if inner.size or width <= 2 * _SQUARE else ends
        bottom = min(top + _SQUARE, height)
        for left, right in spans:
            boxes.append(Box(top, left, bottom, right))
    return _joined(boxes)


def _joined(boxes: list[Box]) -> list[Box]:
    """Boxes of the same columns, one right under the other, as one."""
    found: dict[tuple[int, int, int], Box] = {}  # by where the next would go on
    for box in boxes:
        above = found.pop((box.top, box.left, box.right), box)
        found[box.bottom, box.left, box.right] = above.union(box)
    return list(found.values())


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
