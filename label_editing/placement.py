"""Where an object can stand, how tall it is there, what it hides and what hides it."""

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.catalog import Catalog, ClassSpec
from label_editing.changes import UNCHANGED, Codes
from label_editing.instance_bank import COMPANION, NOTHING, BankEntry, Parts
from label_editing.instance_table import Instance

GRID_PX = 8  # foot points are searched on every eighth row and column
_FOOT_BAND = 0.06  # the lowest part of an object, over its height: what must stand on its support
_LEAST_SUPPORTED = 0.8
_MOST_VOID = 0.1
_TALLER_THAN_SKYLINE_M = 2.4  # only such vehicles stand out against the sky


@dataclass(frozen=True)
class Limits:
    """What a placement must keep to."""

    min_visible: float  # of the new object
    min_left_visible: float  # of each object it covers
    min_height_px: int


@dataclass(frozen=True)
class Pose:
    """Where and how a cut-out is pasted: the middle of its foot line, its height, its side."""

    foot_row: int
    foot_column: int
    height_px: int
    mirrored: bool


@dataclass(frozen=True)
class Fit:
    """A placement that holds: the pixels that show, by part."""

    box: Box
    parts: Parts


class Unfit(Exception):
    """Why a pose does not hold."""


def support_table(catalog: Catalog, spec: ClassSpec) -> npt.NDArray[np.bool_]:
    """Look-up table of class ids: whether an object of this class can stand there."""
    table = np.zeros(len(catalog.known), np.bool_)
    table[[catalog.named(name).id for name in spec.support]] = True
    return table


def layer_table(catalog: Catalog, *layers: str) -> npt.NDArray[np.bool_]:
    """Look-up table of class ids: whether the class is of one of these layers."""
    table = np.zeros(len(catalog.known), np.bool_)
    table[[c.id for c in catalog.classes if c.layer in layers]] = True
    return table


def foot_points(canvas: Canvas, spec: ClassSpec) -> npt.NDArray[np.intp]:
    """Rows and columns, on a grid, where an object of the class can stand: shape (n, 2)."""
    offset = GRID_PX // 2
    grid = support_table(canvas.catalog, spec)[canvas.labels[offset::GRID_PX, offset::GRID_PX]]
    return np.argwhere(grid) * GRID_PX + offset


def posed(entry: BankEntry, pose: Pose) -> Parts:
    """The cut-out at its size and side, nearest neighbour."""
    parts = entry.parts
    width = max(1, round(entry.width * pose.height_px / entry.height))
    parts = cv2.resize(parts, (width, pose.height_px), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(parts[:, ::-1]) if pose.mirrored else parts


def try_pose(canvas: Canvas, spec: ClassSpec, parts: Parts, pose: Pose, limits: Limits) -> Fit:
    """What shows of the object at this pose; Unfit says why it cannot be there."""
    height, width = parts.shape
    left = pose.foot_column - width // 2
    box = Box(pose.foot_row + 1 - height, left, pose.foot_row + 1, left + width)
    if box.clipped(canvas.height, canvas.width) != box:
        raise Unfit("it would reach out of the picture")
    mask = parts != NOTHING
    labels = canvas.labels[box.window]
    _check_support(canvas, spec, labels, mask)
    visible = mask & ~_in_front(canvas, box, pose.foot_row)
    if spec.height_m is None or spec.height_m < _TALLER_THAN_SKYLINE_M:
        _check_sky(canvas, labels, visible)
    area, shown = int(np.count_nonzero(mask)), int(np.count_nonzero(visible))
    if shown == 0 or shown < limits.min_visible * area:
        raise Unfit("nearer objects would hide it")
    _check_covered(canvas, box, visible, limits)
    return Fit(box, np.where(visible, parts, np.uint8(NOTHING)))


def _check_support(
    canvas: Canvas, spec: ClassSpec, labels: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_]
) -> None:
    band = max(2, round(_FOOT_BAND * mask.shape[0]))
    foot = mask[-band:]
    spots = labels[-band:][foot]
    supported = support_table(canvas.catalog, spec)[spots]
    if supported.mean() < _LEAST_SUPPORTED or not _supported_at_lowest(canvas, spec, labels, mask):
        raise Unfit(f"no free {'/'.join(spec.support)} wide enough")


def _supported_at_lowest(
    canvas: Canvas,
    spec: ClassSpec,
    labels: npt.NDArray[np.generic],
    mask: npt.NDArray[np.bool_],
) -> bool:
    last = labels[-1][mask[-1]]
    return bool(support_table(canvas.catalog, spec)[last].all())


def _in_front(canvas: Canvas, box: Box, foot_row: int) -> npt.NDArray[np.bool_]:
    """The pixels of a box that something nearer than `foot_row` holds, or that are not of the scene."""
    labels = canvas.labels[box.window]
    front = layer_table(canvas.catalog, "fixed", "void")[labels]
    if canvas.instances is None:
        return front
    codes = canvas.instances[box.window]
    for instance in canvas.table.values():
        if instance.foot_row > foot_row and instance.box.overlaps(box):
            front |= codes == instance.id
    return front | _near_thin(canvas, box, labels)


def _near_thin(canvas: Canvas, box: Box, labels: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Pixels of poles and signs whose column goes on below the box: they stand nearer."""
    table = layer_table(canvas.catalog, "object") & ~canvas.catalog.is_thing
    thin = table[labels]
    if not thin.any():
        return thin
    below = canvas.labels[box.bottom : box.bottom + 3, box.left : box.right]
    reaches = table[below].any(axis=0) if below.size else np.zeros(box.width, np.bool_)
    count, components = cv2.connectedComponents(thin.view(np.uint8), connectivity=8)
    near = np.zeros(count, np.bool_)
    near[components[-1][reaches]] = True
    near[0] = False
    return near[components]


def _check_sky(canvas: Canvas, labels: npt.NDArray[np.generic], visible: npt.NDArray[np.bool_]) -> None:
    if (layer_table(canvas.catalog, "sky")[labels] & visible).any():
        raise Unfit("it would stand against the sky")


def _check_covered(canvas: Canvas, box: Box, visible: npt.NDArray[np.bool_], limits: Limits) -> None:
    if canvas.instances is None:
        return
    codes = canvas.instances[box.window]
    for instance in canvas.table.values():
        if instance.box.overlaps(box):
            lost = int(np.count_nonzero((codes == instance.id) & visible))
            if lost and instance.area - lost < limits.min_left_visible * instance.area:
                raise Unfit("it would hide other objects")


def paste(canvas: Canvas, spec: ClassSpec, fit: Fit) -> list[Instance]:
    """Paint a placement; the new instances, the object first."""
    ids = [canvas.free_id(spec.id)]
    codes: Codes = np.where(fit.parts == NOTHING, UNCHANGED, ids[0]).astype(np.int32)
    if spec.companion is not None and (fit.parts == COMPANION).any():
        ids.append(canvas.free_id(canvas.catalog.named(spec.companion).id))
        codes[fit.parts == COMPANION] = ids[1]
    canvas.paint(fit.box, codes)
    return [canvas.table[i] for i in ids if i in canvas.table]


def most_common(reasons: Counter[str]) -> str:
    """The reason that turned down most poses."""
    return reasons.most_common(1)[0][0] if reasons else "nowhere to stand"
