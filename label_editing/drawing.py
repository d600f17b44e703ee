"""Scenes as pictures: catalog colours, and what edits changed outlined and named."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.changes import Flip, Zoom
from label_editing.edits.base import EditRecord, TouchedInstance
from label_editing.instance_table import find_instances
from label_editing.look_up import look_up
from label_editing.scene import Scene

Picture = npt.NDArray[np.uint8]  # height x width x 3, RGB

_COLOURS: dict[str, tuple[int, int, int]] = {
    "added": (60, 255, 90),
    "removed": (255, 70, 60),
    "changed": (255, 220, 40),
}
_EDGE = (255, 255, 255)
_READABLE = 0.42  # the least scale of letters that people can read


def colourise(scene: Scene, instance_edges: bool = True) -> Picture:
    """The label map in catalog colours, a thin line around each instance."""
    palette = scene.catalog.palette
    if scene.labels.dtype == np.uint8:
        picture = cv2.applyColorMap(scene.labels, palette[:, None])
    else:
        picture = np.ascontiguousarray(palette[scene.labels])
    if instance_edges and scene.instances is not None:
        picture[_edges(scene)] = _EDGE
    return picture


def _edges(scene: Scene) -> npt.NDArray[np.bool_]:
    """The pixels of things whose right or lower neighbour belongs to something else."""
    assert scene.instances is not None
    codes = scene.instances
    edges = np.zeros(codes.shape, np.bool_)
    edges[:, :-1] |= codes[:, 1:] != codes[:, :-1]
    edges[:-1] |= codes[1:] != codes[:-1]
    edges &= look_up(scene.catalog.is_thing, scene.labels)
    return edges


def outline_changes(
    before: Scene, after: Scene, records: Iterable[EditRecord], width: int | None = None
) -> tuple[Picture, Picture]:
    """Both scenes as pictures: what went is outlined in the first, what came or changed in the second.

    With a `width` the pictures are of that width, and lines and names are drawn after shrinking, so that they stay
    readable.
    """
    first, second = colourise(before), colourise(after)
    records = list(records)
    if not _view_changed(records):
        tinted = cv2.LUT(second, _tints(_COLOURS["changed"]))
        cv2.copyTo(tinted, _changed_stuff(before, after).view(np.uint8), second)
    if width is not None:
        first, second = _resized(first, width), _resized(second, width)
    standing = {} if after.instances is None else find_instances(after.instances)
    for touched in all_touched(records):
        if touched.what == "removed":
            _outline(before, first, touched, touched.box)
        elif touched.id in standing:  # where a later mirror or crop has brought it
            _outline(after, second, touched, standing[touched.id].box)
    return first, second


def _resized(picture: Picture, width: int) -> Picture:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    way = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _view_changed(records: Iterable[EditRecord]) -> bool:
    """Whether the whole picture was flipped or zoomed: then every pixel is another, and none is worth a tint."""
    return any(
        any(isinstance(change, Flip | Zoom) for change in record.changes) or _view_changed(record.children)
        for record in records
    )


def all_touched(records: Iterable[EditRecord]) -> list[TouchedInstance]:
    """The instances that records and their children touched."""
    found: list[TouchedInstance] = []
    for record in records:
        found += [*record.instances, *all_touched(record.children)]
    return found


def _changed_stuff(before: Scene, after: Scene) -> npt.NDArray[np.bool_]:
    """Pixels of another stuff class than before: swapped regions, filled holes."""
    things = before.catalog.is_thing
    changed = before.labels != after.labels
    changed &= ~look_up(things, before.labels)
    changed &= ~look_up(things, after.labels)
    return changed


def _tints(colour: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Look-up table: every brightness of each channel, mixed with some of a colour."""
    return (0.7 * np.arange(256)[None, :, None] + 0.3 * np.array(colour)).astype(np.uint8)


def _outline(scene: Scene, picture: Picture, touched: TouchedInstance, box: Box) -> None:
    """On a picture of the scene of any size."""
    colour = _COLOURS[touched.what]
    scale = np.array([picture.shape[1] / scene.width, picture.shape[0] / scene.height])
    thickness = max(1, picture.shape[0] // 300)
    if scene.instances is not None and not box.empty:
        mask = np.ascontiguousarray(scene.instances[box.window] == touched.id).view(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(box.left, box.top))
        scaled = [np.rint(contour * scale).astype(np.int32) for contour in contours]
        cv2.drawContours(picture, scaled, -1, colour, thickness)
    corner = round(box.left * scale[0]), round(box.top * scale[1])
    _name(picture, corner, f"{'-' if touched.what == 'removed' else '+'} {touched.class_name}", colour)


def _name(picture: Picture, corner: tuple[int, int], text: str, colour: tuple[int, int, int]) -> None:
    """A label above a box's corner, coloured letters on black, kept inside the picture."""
    height_px = picture.shape[0]
    scale = max(height_px / 1400, min(_READABLE, height_px / 400))  # tiny pictures have no room for letters
    thickness = max(1, round(1.5 * scale))
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    left = max(0, min(corner[0], picture.shape[1] - width))
    bottom = max(height + baseline, corner[1])
    cv2.rectangle(picture, (left, bottom - height - baseline), (left + width, bottom), (0, 0, 0), -1)
    cv2.putText(
        picture, text, (left, bottom - baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA
    )
