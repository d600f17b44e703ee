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
_STRIPES_APART_PX = 8
_FARTHEST_NAME = 6  # lines from its place


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
    """Both scenes as pictures: what went is outlined in the first, what came in the second, what changed striped there.

    With a `width` the pictures are of that width, and lines and names are drawn after shrinking, so that they stay
    readable.
    """
    first, second = colourise(before), colourise(after)
    records = list(records)
    changed = None if _view_changed(records) else _changed_stuff(before, after)
    if width is not None:
        first, second = _resized(first, width), _resized(second, width)
    if changed is not None:
        _stripe(second, changed)
    standing = {} if after.instances is None else find_instances(after.instances)
    went, came = _Names(first), _Names(second)
    for touched in all_touched(records):
        if touched.what == "removed":
            _outline(before, first, touched, touched.box, went)
        elif touched.id in standing:  # where a later mirror or crop has brought it
            _outline(after, second, touched, standing[touched.id].box, came)
    went.draw()
    came.draw()
    return first, second


def _resized(picture: Picture, width: int) -> Picture:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    way = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _stripe(picture: Picture, changed: npt.NDArray[np.bool_]) -> None:
    """Stripes over what changed, on a picture of any size; between them the colour of the class stays what it is."""
    height, width = picture.shape[:2]
    where = cv2.resize(changed.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    apart = max(_STRIPES_APART_PX, height // 32)
    diagonal = (np.arange(height)[:, None] + np.arange(width)) % apart
    picture[where & (diagonal < max(1, apart // 4))] = _COLOURS["changed"]


def _view_changed(records: Iterable[EditRecord]) -> bool:
    """Whether the whole picture was flipped or zoomed: then every pixel is another, and none is worth a mark."""
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


class _Names:
    """Names to be drawn on a picture once all outlines are there, each in a place of its own."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        height = picture.shape[0]
        # Tiny pictures have no room for letters.
        self._scale = max(height / 1400, min(_READABLE, height / 400))
        self._thickness = max(1, round(1.5 * self._scale))
        self._wanted: list[tuple[tuple[int, int], str, tuple[int, int, int]]] = []
        self._taken: list[Box] = []

    def add(self, corner: tuple[int, int], text: str, colour: tuple[int, int, int]) -> None:
        """A name to stand above this corner."""
        self._wanted.append((corner, text, colour))

    def draw(self) -> None:
        """Coloured letters on black, kept inside the picture."""
        for corner, text, colour in self._wanted:
            (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, self._scale, self._thickness)
            box = self._free(corner, width, height + baseline)
            self._taken.append(box)
            cv2.rectangle(self._picture, (box.left, box.top), (box.right, box.bottom), (0, 0, 0), -1)
            at, font = (box.left, box.bottom - baseline), cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(self._picture, text, at, font, self._scale, colour, self._thickness, cv2.LINE_AA)

    def _free(self, corner: tuple[int, int], width: int, height: int) -> Box:
        """Above the corner, else as near over or under that as no other name stands; in a crowd, on top of others."""
        left = max(0, min(corner[0], self._picture.shape[1] - width))
        bottom = max(height + 1, corner[1])
        steps = [0, *(way * step for step in range(1, _FARTHEST_NAME + 1) for way in (-1, 1))]
        places = [
            Box(bottom + (n - 1) * (height + 1), left, bottom + n * (height + 1) - 1, left + width) for n in steps
        ]
        inside = [box for box in places if box.top >= 0 and box.bottom < self._picture.shape[0]]
        free = (box for box in inside if not any(_overlap(box, taken) for taken in self._taken))
        return next(free, places[0])


def _overlap(one: Box, other: Box) -> bool:
    return one.left <= other.right and other.left <= one.right and one.top <= other.bottom and other.top <= one.bottom


def _outline(scene: Scene, picture: Picture, touched: TouchedInstance, box: Box, names: _Names) -> None:
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
    names.add(corner, f"{'-' if touched.what == 'removed' else '+'} {touched.class_name}", colour)
