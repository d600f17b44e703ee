"""A scene being edited: maps copied once, written box by box, and the table of instances kept in step."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box, box_of
from label_editing.catalog import INSTANCES_PER_CLASS, Catalog
from label_editing.changes import UNCHANGED, Change, Codes, Flip, Patch, Relabel, Zoom, relabel_table
from label_editing.instance_table import Instance, distinct, find_instances
from label_editing.look_up import look_up
from label_editing.resampling import resample
from label_editing.scene import InstanceMap, LabelMap, Scene, class_of_instance


class Canvas:
    """The only thing that writes pixels. Every write is also kept as a change, until `take_changes`."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._labels: LabelMap = scene.labels
        self._instances: InstanceMap | None = scene.instances
        self._owned = False
        self._changes: list[Change] = []
        self._table: dict[int, Instance] | None = None

    @property
    def catalog(self) -> Catalog:
        return self._scene.catalog

    @property
    def key(self) -> str:
        return self._scene.key

    @property
    def labels(self) -> LabelMap:
        """The class ids as they are now; not to be written."""
        return self._labels

    @property
    def instances(self) -> InstanceMap | None:
        """The instance ids as they are now; not to be written."""
        return self._instances

    @property
    def height(self) -> int:
        return int(self._labels.shape[0])

    @property
    def width(self) -> int:
        return int(self._labels.shape[1])

    @property
    def whole(self) -> Box:
        return Box(0, 0, self.height, self.width)

    @property
    def table(self) -> dict[int, Instance]:
        """The instances by id; empty where the scene has no instance map."""
        if self._table is None:
            self._table = {} if self._instances is None else find_instances(self._instances)
        return self._table

    def codes(self, box: Box) -> Codes:
        """Instance ids, class ids where there are none, of a box: a copy."""
        source = self._labels if self._instances is None else self._instances
        return source[box.window].astype(np.int32)

    def free_id(self, class_id: int) -> int:
        """An instance id of this class that no pixel carries; ValueError when all 1000 are taken."""
        taken = self.table
        for k in range(INSTANCES_PER_CLASS):
            if class_id * INSTANCES_PER_CLASS + k not in taken:
                return class_id * INSTANCES_PER_CLASS + k
        name = self.catalog.with_id(class_id).name
        raise ValueError(f"all {INSTANCES_PER_CLASS} instance ids of class {name!r} are taken; remove some first")

    def mask_of(self, instance: Instance) -> npt.NDArray[np.bool_]:
        """The pixels of an instance within its box."""
        if self._instances is None:
            raise ValueError("a scene without instance map has no instances")
        return self._instances[instance.box.window] == instance.id

    def scene(self) -> Scene:
        """The scene as it is now; the very scene it began with where nothing was written."""
        if not self._owned:
            return self._scene
        self._owned = False  # the scene shares the arrays from here on, so the next write copies again
        self._scene = self._scene.with_maps(self._labels, self._instances)
        self._labels, self._instances = self._scene.labels, self._scene.instances
        return self._scene

    def fork(self) -> "Canvas":
        """A canvas to try something on, that starts from this one as it is now."""
        other = Canvas(self.scene())
        other._table = dict(self.table)
        return other

    def adopt(self, fork: "Canvas") -> None:
        """Take what was painted on a fork."""
        changes = fork.take_changes()
        table = fork.table
        self._scene = fork.scene()
        self._labels, self._instances, self._owned = self._scene.labels, self._scene.instances, False
        self._table = table
        self._changes.extend(changes)

    def take_changes(self) -> tuple[Change, ...]:
        """The changes since the last call."""
        changes, self._changes = tuple(self._changes), []
        return changes

    def as_labels(self, class_ids: npt.NDArray[Any]) -> LabelMap:
        """Class ids in the type of this map."""
        return class_ids.astype(np.uint8) if self._labels.dtype == np.uint8 else class_ids.astype(np.uint16)

    def paint(self, box: Box, codes: Codes) -> None:
        """Write the codes of a box, where they are not UNCHANGED."""
        present = (self._labels if self._instances is None else self._instances)[box.window]
        differs = codes != present
        differs &= codes != UNCHANGED
        tight = box_of(differs)
        if tight is None:
            return
        differs, codes = differs[tight.window], codes[tight.window]
        box = Box(box.top + tight.top, box.left + tight.left, box.top + tight.bottom, box.left + tight.right)
        labels = codes if self._instances is None else class_of_instance(codes)
        self._write(box, self.as_labels(labels), codes, differs)
        self._changes.append(Patch.of(box, codes, differs))

    def paint_stuff(self, box: Box, labels: LabelMap, where: npt.NDArray[np.bool_]) -> None:
        """Write classes that have no instances into a box, where the mask is true."""
        differs = labels != self._labels[box.window]
        differs &= where
        tight = box_of(differs)
        if tight is None:
            return
        differs, labels = differs[tight.window], labels[tight.window]
        box = Box(box.top + tight.top, box.left + tight.left, box.top + tight.bottom, box.left + tight.right)
        self._write(box, labels, labels, differs)
        self._changes.append(Patch.of(box, labels, differs))

    def relabel(self, codes: dict[int, int]) -> None:
        """Turn every pixel of one code into another."""
        self._relabel(codes)
        self._changes.append(Relabel(codes=codes))

    def flip(self) -> None:
        """Mirror left to right."""
        self._flip()
        self._changes.append(Flip())

    def zoom(self, box: Box) -> None:
        """Bring a window back to full size."""
        self._zoom(box)
        self._changes.append(Zoom(box=box))

    def apply(self, change: Change) -> None:
        """Do a recorded change again."""
        match change:
            case Patch():
                self._check_inside(change.box)
                codes = change.codes()
                labels = codes if self._instances is None else class_of_instance(codes)
                self._write(change.box, self.as_labels(labels), codes, codes != UNCHANGED)
            case Relabel():
                self._relabel(change.codes)
            case Flip():
                self._flip()
            case Zoom():
                self._check_inside(change.box)
                self._zoom(change.box)
        self._changes.append(change)

    def _check_inside(self, box: Box) -> None:
        if box.empty or box.clipped(self.height, self.width) != box:
            raise ValueError(f"change at {tuple(box)} lies outside a map of {self.width}x{self.height}")

    def _own(self) -> None:
        if self._owned:
            return
        self._labels = self._labels.copy()
        self._instances = None if self._instances is None else self._instances.copy()
        self._owned = True

    def _write(self, box: Box, labels: LabelMap, codes: npt.NDArray[np.integer], mask: npt.NDArray[np.bool_]) -> None:
        """Write labels and codes, which agree, into a box where the mask is true."""
        self._own()
        losing = self._losing(box, mask)
        np.copyto(self._labels[box.window], labels, where=mask)
        if self._instances is None:
            return
        np.copyto(self._instances[box.window], codes, where=mask)
        if self._table is not None and codes.max() >= INSTANCES_PER_CLASS:
            for i in distinct(codes[mask]):
                if i >= INSTANCES_PER_CLASS:
                    self._gain(i, box_of((codes == i) & mask, box.top, box.left))
        for i in losing:
            self._rescan(i, self.table[i].box)

    def _losing(self, box: Box, mask: npt.NDArray[np.bool_]) -> list[int]:
        """The instances that have pixels where a mask, a window of `box`, is true."""
        found = []
        for instance in (self._table or {}).values():
            if instance.box.overlaps(box):
                shared = instance.box.shared(box)
                under = mask[shared.within(box).window]
                if under.any() and self._instances is not None:
                    own = self._instances[shared.window] == instance.id
                    found.extend([instance.id] if (own & under).any() else [])
        return found

    def _gain(self, instance_id: int, grown: Box | None) -> None:
        """Keep the table in step with an instance that was painted within a box."""
        old = None if self._table is None else self._table.get(instance_id)
        self._rescan(instance_id, grown if old is None or grown is None else grown.union(old.box))

    def _rescan(self, instance_id: int, box: Box | None) -> None:
        """Measure an instance again; all its pixels lie in `box`."""
        if self._instances is None or self._table is None or box is None:
            return
        mask = self._instances[box.window] == instance_id
        tight = box_of(mask, box.top, box.left)
        if tight is None:
            self._table.pop(instance_id, None)
        else:
            self._table[instance_id] = Instance(instance_id, tight, int(np.count_nonzero(mask)))

    def _relabel(self, codes: dict[int, int]) -> None:
        self._own()
        instance_codes = {old: new for old, new in codes.items() if old >= INSTANCES_PER_CLASS}
        found = [(self.table[old], new) for old, new in instance_codes.items() if old in self.table]
        masks = [self.mask_of(instance) for instance, _ in found]  # all before any is written: codes may swap
        self._relabel_classes({old: new for old, new in codes.items() if old not in instance_codes})
        for (instance, new), mask in zip(found, masks, strict=True):
            self._set(instance.box, mask, new)
        if found or any(new >= INSTANCES_PER_CLASS for new in codes.values()):
            self._table = None

    def _relabel_classes(self, codes: dict[int, int]) -> None:
        if not codes:
            return
        if self._instances is None:
            table = self.as_labels(relabel_table(codes, len(self.catalog.known)))
            self._labels = look_up(table, self._labels)
            return
        # A class of stuff is one code in both maps, and the map of labels is the smaller one to read.
        things = self.catalog.is_thing
        masks = [((self._instances if things[old] else self._labels) == old, new) for old, new in codes.items()]
        for mask, new in masks:
            self._set(self.whole, mask, new)

    def _set(self, box: Box, mask: npt.NDArray[np.bool_], code: int) -> None:
        label = code // INSTANCES_PER_CLASS if code >= INSTANCES_PER_CLASS else code
        np.copyto(self._labels[box.window], self._labels.dtype.type(label), where=mask)
        if self._instances is not None:
            np.copyto(self._instances[box.window], np.int32(code), where=mask)

    def _flip(self) -> None:
        self._labels = cv2.flip(self._labels, 1)
        if self._instances is not None:
            # In place where the map is ours: fresh memory costs more than the turning itself.
            self._instances = cv2.flip(self._instances, 1, self._instances if self._owned else None)
        self._owned = True
        if self._table is not None:
            width = self.width
            self._table = {
                i: Instance(i, Box(b.top, width - b.right, b.bottom, width - b.left), area)
                for i, b, area in self._table.values()
            }

    def _zoom(self, box: Box) -> None:
        self._labels = resample(self._labels, box, self.height, self.width)
        if self._instances is not None:
            self._instances = resample(self._instances, box, *self._labels.shape)
        self._owned = True
        self._table = None
