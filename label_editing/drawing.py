"""Scenes as pictures: catalog colours, and what edits changed outlined and named."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.changes import Flip, Zoom
from label_editing.edits.base import EditRecord, TouchedInstance
from label_editing.scene import Scene

Picture = npt.NDArray[np.uint8]  # height x width x 3, RGB

_COLOURS: dict[str, tuple[int, int, int]] = {
    "added": (60, 255, 90),
    "removed": (255, 70, 60),
    "changed": (255, 220, 40),
}
_EDGE = (255, 255, 255)


def colourise(scene: Scene, instance_edges: bool = True) -> Picture:
    """The label map in catalog colours, a thin line around each instance."""
    picture = np.ascontiguousarray(scene.catalog.palette[scene.labels])
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
    return edges & scene.catalog.is_thing[scene.labels]


def outline_changes(before: Scene, after: Scene, records: Iterable[EditRecord]) -> tuple[Picture, Picture]:
    """Both scenes as pictures: what went is outlined in the first, what came or changed in the second."""
    pictures = colourise(before), colourise(after)
    records = list(records)
    for touched in all_touched(records):
        scene, picture = (before, pictures[0]) if touched.what == "removed" else (after, pictures[1])
        _outline(scene, picture, touched)
    if not _view_changed(records):
        changed = _changed_stuff(before, after)
        pictures[1][changed] = (0.7 * pictures[1][changed] + 0.3 * np.array(_COLOURS["changed"])).astype(np.uint8)
    return pictures


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
    changed: npt.NDArray[np.bool_] = (before.labels != after.labels) & ~things[before.labels] & ~things[after.labels]
    return changed


def _outline(scene: Scene, picture: Picture, touched: TouchedInstance) -> None:
    colour = _COLOURS[touched.what]
    thickness = max(1, scene.height // 400)
    box = touched.box
    if scene.instances is not None and not box.empty:
        mask = np.ascontiguousarray(scene.instances[box.window] == touched.id).view(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(box.left, box.top))
        cv2.drawContours(picture, contours, -1, colour, thickness)
    _name(picture, box, f"{'-' if touched.what == 'removed' else '+'} {touched.class_name}", colour)


def _name(picture: Picture, box: Box, text: str, colour: tuple[int, int, int]) -> None:
    """A label above the box, black behind coloured letters, kept inside the picture."""
    scale = picture.shape[0] / 1400
    thickness = max(1, round(1.5 * scale))
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    left = max(0, min(box.left, picture.shape[1] - width))
    bottom = max(height + baseline, box.top)
    cv2.rectangle(picture, (left, bottom - height - baseline), (left + width, bottom), (0, 0, 0), -1)
    cv2.putText(
        picture, text, (left, bottom - baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA
    )
