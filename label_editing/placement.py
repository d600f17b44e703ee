"""Whether an object can stand at a place, what it hides there and what hides it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.changes import UNCHANGED, Codes
from label_editing.ground import Ground
from label_editing.instance_bank import COMPANION, NOTHING, SELF, Parts
from label_editing.instance_table import Instance
from label_editing.look_up import look_up
from label_editing.neighbours import Neighbours
from label_editing.scene import LabelMap

_FOOT_BAND = 0.06  # the lowest part of an object, over its height: what must stand on its support
_LEAST_SUPPORTED = 0.85
_LEAST_FOOT_SEEN = 0.4
_TALLER_THAN_SKYLINE_M = 2.4  # only such vehicles stand out against the sky
_LEAST_UNDER_BOX = 0.5  # of the lowest row of its box, the ends left out


@dataclass(frozen=True)
class Limits:
    """What a placement must keep to."""

    min_visible: float  # of the new object
    min_left_visible: float  # of each object it covers


class Pose(NamedTuple):
    """Where and how a cut-out is pasted: the middle of its foot line, its height, its side."""

    foot_row: int
    foot_column: int
    height_px: int
    mirrored: bool


class Fit(NamedTuple):
    """A placement that holds: the parts that show, within a box."""

    box: Box
    parts: Parts


class Unfit(Exception):
    """Why a pose does not hold."""


def posed(parts: Parts, pose: Pose) -> Parts:
    """The cut-out at its size and side, with edges as smooth as the size allows."""
    height, width = parts.shape
    size = max(1, round(width * pose.height_px / height)), pose.height_px
    smooth = cv2.INTER_AREA if 2 * pose.height_px < height else cv2.INTER_LINEAR
    scaled = _scaled(cv2.compare(parts, NOTHING, cv2.CMP_NE), size, smooth)
    if parts.max() == COMPANION:
        companion = _scaled(cv2.compare(parts, COMPANION, cv2.CMP_EQ), size, smooth)
        scaled[(scaled & companion).view(np.bool_)] = COMPANION
    return _tight(cv2.flip(scaled, 1) if pose.mirrored else scaled)


def _scaled(mask: npt.NDArray[np.uint8], size: tuple[int, int], interpolation: int) -> Parts:
    """SELF where a mask of 0 and 255 covers half of a pixel or more at this size."""
    scaled = cv2.resize(mask, size, interpolation=interpolation)
    return cv2.threshold(scaled, 127, SELF, cv2.THRESH_BINARY, scaled)[1]


def _tight(parts: Parts) -> Parts:
    """Without empty rows below, which thin ends leave when they are scaled down: feet stay on the foot row."""
    if parts[-1].any():
        return parts
    rows = np.flatnonzero(parts.any(axis=1))
    return parts[: rows[-1] + 1] if rows.size else parts


def box_at(pose: Pose, height: int, width: int) -> Box:
    """Where a cut-out of this size lies: its lowest row on the foot row, its middle on the foot column."""
    left = pose.foot_column - width // 2
    return Box(pose.foot_row + 1 - height, left, pose.foot_row + 1, left + width)


def check_place(canvas: Canvas, ground: Ground, box: Box, neighbours: Neighbours) -> None:
    """Unfit where a look at the box alone tells that the object cannot be there."""
    if box.top < 0 or box.left < 0 or box.bottom > canvas.height or box.right > canvas.width:
        raise Unfit("it would reach out of the picture")
    under = canvas.labels[box.bottom - 1, box.left + box.width // 8 : box.right - box.width // 8]
    clear = ground.table | canvas.catalog.is_thing  # a nearer object may stand before it
    if np.count_nonzero(clear[under]) < _LEAST_UNDER_BOX * under.size:
        raise Unfit(_no_room(ground))
    if neighbours.share_ground(box):
        raise Unfit("another object stands there")
    if neighbours.mostly_hidden(box):
        raise Unfit("it would hide other objects")


def fit_parts(canvas: Canvas, spec: ClassSpec, ground: Ground, parts: Parts, box: Box, limits: Limits) -> Fit:
    """What shows of an object in this box; Unfit says why it cannot be there."""
    mask = parts != NOTHING
    labels = canvas.labels[box.window]
    around = list(_overlapping(canvas, box))
    nearer = [_stands_nearer(canvas, instance, shared, box) for instance, shared in around]
    _check_covered(canvas, box, mask, limits, [each for each, near in zip(around, nearer, strict=True) if not near])
    visible = mask & ~_in_front(canvas, box, [each for each, near in zip(around, nearer, strict=True) if near])
    _check_support(ground, labels, mask, visible)
    if spec.height_m is None or spec.height_m < _TALLER_THAN_SKYLINE_M:
        _check_sky(canvas, labels, visible)
    area, shown = int(np.count_nonzero(mask)), int(np.count_nonzero(visible))
    if not (visible & (parts == SELF)).any() or shown < limits.min_visible * area:
        raise Unfit("nearer objects would hide it")
    return Fit(box, np.where(visible, parts, np.uint8(NOTHING)))


def _no_room(ground: Ground) -> str:
    return f"no free {ground} wide enough"


def _check_support(
    ground: Ground, labels: LabelMap, mask: npt.NDArray[np.bool_], visible: npt.NDArray[np.bool_]
) -> None:
    """What shows of the foot line must be on the ground; nearer objects may hide a part of it."""
    band = max(2, round(_FOOT_BAND * mask.shape[0]))
    foot, seen = mask[-band:], visible[-band:]
    under_feet = ground.table[labels[-band:]][seen]
    if not under_feet.size or under_feet.size < _LEAST_FOOT_SEEN * np.count_nonzero(foot) or not visible[-1].any():
        raise Unfit("nearer objects would hide where it stands")
    if (
        np.count_nonzero(under_feet) < _LEAST_SUPPORTED * under_feet.size
        or not ground.table[labels[-1]][visible[-1]].all()
    ):
        raise Unfit(_no_room(ground))


def _in_front(canvas: Canvas, box: Box, nearer: list[tuple[Instance, Box]]) -> npt.NDArray[np.bool_]:
    """The pixels of a box that something nearer holds, or that are not of the scene."""
    labels = canvas.labels[box.window]
    front = look_up(canvas.catalog.of_layer["fixed"] | canvas.catalog.is_void, labels)
    for instance, shared in nearer:
        if canvas.instances is not None:
            front[shared.within(box).window] |= canvas.instances[shared.window] == instance.id
    return front | _near_thin(canvas, box, labels)


def _stands_nearer(canvas: Canvas, instance: Instance, shared: Box, box: Box) -> bool:
    """Whether an instance goes on below the box in the columns they share: the far end of a long car may be behind."""
    if canvas.instances is None or instance.box.bottom <= box.bottom:
        return False
    below = canvas.instances[box.bottom : instance.box.bottom, shared.left : shared.right]
    return bool((below == instance.id).any())


def _overlapping(canvas: Canvas, box: Box) -> Iterator[tuple[Instance, Box]]:
    """The instances whose boxes reach into this one, and where."""
    for instance in canvas.table.values():
        if instance.box.overlaps(box):
            yield instance, instance.box.shared(box)


def _near_thin(canvas: Canvas, box: Box, labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Poles and signs that go on below the box: they stand nearer."""
    below = canvas.catalog.is_thin[canvas.labels[box.bottom : box.bottom + 3, box.left : box.right]]
    if not below.any():
        return np.zeros(labels.shape, np.bool_)
    thin = look_up(canvas.catalog.is_thin, labels)
    count, components = cv2.connectedComponents(thin.view(np.uint8), connectivity=8)
    near = np.zeros(count, np.bool_)
    near[components[-1][below.any(axis=0)]] = True
    near[0] = False
    return near[components]


def _check_sky(canvas: Canvas, labels: LabelMap, visible: npt.NDArray[np.bool_]) -> None:
    if (look_up(canvas.catalog.of_layer["sky"], labels) & visible).any():
        raise Unfit("it would stand against the sky")


def _check_covered(
    canvas: Canvas, box: Box, mask: npt.NDArray[np.bool_], limits: Limits, farther: list[tuple[Instance, Box]]
) -> None:
    for instance, shared in farther:
        if canvas.instances is not None:
            behind = canvas.instances[shared.window] == instance.id
            lost = int(np.count_nonzero(behind & mask[shared.within(box).window]))
            if lost and instance.area - lost < limits.min_left_visible * instance.area:
                raise Unfit("it would hide other objects")


def paste(canvas: Canvas, spec: ClassSpec, fit: Fit, companion: str, ids: tuple[int, ...] = ()) -> list[Instance]:
    """Paint a placement, under these ids or free ones; the new instances, the object first.

    `companion` is the class of what comes with it, empty where nothing does.
    """
    parts = {SELF: spec.id}
    if companion:
        parts[COMPANION] = canvas.catalog.named(companion).id
    codes: Codes = np.full(fit.parts.shape, UNCHANGED, np.int32)
    new = []
    for place, (part, class_id) in enumerate(parts.items()):
        mask = fit.parts == part
        if mask.any():
            new.append(ids[place] if place < len(ids) else canvas.free_id(class_id))
            codes[mask] = new[-1]
    canvas.paint(fit.box, codes)
    return [canvas.table[i] for i in new if i in canvas.table]
