"""Cut-outs of whole objects by class: what add_instances pastes."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.companions import companion_of, company_of
from label_editing.instance_table import Instance, run_starts
from label_editing.names import unknown_name
from label_editing.perspective import Perspective, fit_perspective, measured_objects
from label_editing.scene import Scene

# What a cut-out's pixels are: nothing, the object itself, what comes with it (a rider's bicycle).
NOTHING, SELF, COMPANION = 0, 1, 2

Parts = npt.NDArray[np.uint8]

_LEAST_HEIGHT = 0.02  # of the image; smaller cut-outs are blobs
_LEAST_AREA_PX = 60
_MOST_HIDDEN_OUTLINE = 0.12  # share of the outline that touches something that may be nearer
_LEAST_IN_ONE_PIECE = 0.95


@dataclass(frozen=True)
class BankEntry:
    """One cut-out, packed, with what is known of the scene it came from."""

    class_name: str
    height: int
    width: int
    packed: bytes  # runs of `Parts`, zlib
    foot_row: int
    foot_column: int
    scene_height: int
    scene_width: int
    source_key: str
    companion: str = ""
    perspective: Perspective | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    origin: str = "bank"  # or scene, silhouette

    @property
    def parts(self) -> Parts:
        """The cut-out: NOTHING, SELF or COMPANION."""
        return unpack_parts(self.packed, self.height, self.width)

    @property
    def side(self) -> float:
        """How far from the middle of its picture it stood: -1 at the left border, 1 at the right one."""
        return 2 * self.foot_column / self.scene_width - 1

    @property
    def relative_height(self) -> float:
        return self.height / self.scene_height


def pack_parts(parts: Parts) -> bytes:
    """Runs of a cut-out, compressed."""
    flat = parts.ravel()
    starts = run_starts(flat)
    lengths = np.diff(starts, append=flat.size)
    return zlib.compress(lengths.astype("<i4").tobytes() + flat[starts].tobytes(), 6)


def unpack_parts(packed: bytes, height: int, width: int) -> Parts:
    """What `pack_parts` packed; ValueError when it is not a cut-out of this size."""
    raw = zlib.decompress(packed)
    count = len(raw) // 5
    lengths = np.frombuffer(raw[: 4 * count], "<i4")
    if int(lengths.sum()) != height * width:
        raise ValueError(f"a packed cut-out does not fill its {width}x{height} pixels")
    return np.repeat(np.frombuffer(raw[4 * count :], np.uint8), lengths).reshape(height, width)


class InstanceBank:
    """Cut-outs by class; the sequences may read themselves on first use."""

    def __init__(self, by_class: Mapping[str, Sequence[BankEntry]], perspective: Perspective | None = None) -> None:
        self._by_class = dict(by_class)
        self.perspective = perspective

    @classmethod
    def of(cls, entries: Iterable[BankEntry], perspective: Perspective | None = None) -> "InstanceBank":
        """A bank of entries in memory."""
        by_class: dict[str, list[BankEntry]] = {}
        for entry in entries:
            by_class.setdefault(entry.class_name, []).append(entry)
        return cls(by_class, perspective)

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, entries in self._by_class.items() if len(entries)))

    def __contains__(self, class_name: str) -> bool:
        return len(self._by_class.get(class_name, ())) > 0

    def entries(self, class_name: str) -> Sequence[BankEntry]:
        """The cut-outs of a class; ValueError names the nearest one that has any."""
        if class_name not in self:
            raise ValueError(f"instance bank: {unknown_name('class', class_name, self.class_names)}")
        return self._by_class[class_name]

    @cached_property
    def _heights(self) -> dict[str, npt.NDArray[np.float64]]:
        return {}

    def relative_heights(self, class_name: str) -> npt.NDArray[np.float64]:
        """Heights of a class's cut-outs over the heights of their scenes."""
        if class_name not in self._heights:
            self._heights[class_name] = np.array([e.relative_height for e in self.entries(class_name)])
        return self._heights[class_name]


def build_entries(scene: Scene, classes: Iterable[str] | None = None) -> list[BankEntry]:
    """Every whole object of a scene: not cut by the border, not much hidden, above a size."""
    canvas = Canvas(scene)
    return list(cut_outs(canvas, classes, scene.attributes))


def cut_outs(
    canvas: Canvas, classes: Iterable[str] | None = None, attributes: Mapping[str, str] | None = None
) -> Iterator[BankEntry]:
    """As `build_entries`, of a canvas as it is now."""
    if canvas.instances is None:
        return
    wanted = set(canvas.catalog.names if classes is None else classes)
    view = fit_perspective(*measured_objects(canvas.table.values(), canvas.catalog, canvas.height, canvas.width))
    for instance in canvas.table.values():
        spec = canvas.catalog.with_id(instance.class_id)
        if spec.name in wanted and is_whole(canvas, instance):
            entry = _cut_out(canvas, instance, spec, view, dict(attributes or {}))
            if entry is not None:
                yield entry


def is_whole(canvas: Canvas, instance: Instance) -> bool:
    """Whether the object is all there: inside the frame, standing on ground, hardly hidden, in one piece."""
    box = instance.box
    if instance.area < _LEAST_AREA_PX or box.height < _LEAST_HEIGHT * canvas.height:
        return False
    if box.top == 0 or box.left == 0 or box.bottom == canvas.height or box.right == canvas.width:
        return False
    if not _in_one_piece(canvas, instance):
        return False
    mask = np.ascontiguousarray(canvas.mask_of(instance)).view(np.uint8)
    return _hidden_outline(canvas, instance, mask) <= _MOST_HIDDEN_OUTLINE


def _in_one_piece(canvas: Canvas, instance: Instance) -> bool:
    companion = companion_of(canvas, instance)
    _, parts = parts_of(canvas, instance, companion)
    mask = cv2.compare(parts, NOTHING, cv2.CMP_NE)
    if companion is not None:
        # Frame and bar cut a rider into pieces, with a pixel between them here and there.
        mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return bool(areas.max() >= _LEAST_IN_ONE_PIECE * areas.sum())


def _hidden_outline(canvas: Canvas, instance: Instance, mask: npt.NDArray[np.uint8]) -> float:
    """The share of the outline that borders a nearer object or something that is not of the scene."""
    assert canvas.instances is not None
    box = instance.box.grown(1, 1)
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    rim = (cv2.dilate(padded, np.ones((3, 3), np.uint8)) - padded).view(np.bool_)
    codes = canvas.instances[box.window][rim]
    if codes.size == 0:
        return 1.0
    nearer = [i.id for i in canvas.table.values() if i.foot_row > instance.foot_row and i.box.overlaps(box)]
    foreign = np.flatnonzero(~canvas.catalog.fills_holes & ~canvas.catalog.is_thing).tolist()
    companion = companion_of(canvas, instance)
    hiding = set(nearer + foreign) - ({companion.id} if companion else set())
    return float(np.isin(codes, list(hiding)).mean())


def _cut_out(
    canvas: Canvas, instance: Instance, spec: ClassSpec, view: Perspective | None, attributes: dict[str, str]
) -> BankEntry | None:
    company = company_of(canvas, instance)
    # One that is ridden comes with its rider, and a rider never alone.
    if company[0] != instance or len(company) > 2 or len(company) <= bool(spec.companion):
        return None
    companion = company[1] if len(company) == 2 else None
    box, parts = parts_of(canvas, instance, companion)
    return BankEntry(
        class_name=spec.name,
        height=box.height,
        width=box.width,
        packed=pack_parts(parts),
        foot_row=box.bottom - 1,
        foot_column=(box.left + box.right) // 2,
        scene_height=canvas.height,
        scene_width=canvas.width,
        source_key=canvas.key,
        companion=canvas.catalog.with_id(companion.class_id).name if companion else "",
        perspective=view,
        attributes=attributes,
    )


def parts_of(canvas: Canvas, instance: Instance, companion: Instance | None) -> tuple[Box, Parts]:
    """An object on a canvas as a cut-out, and where it lies."""
    box = instance.box if companion is None else instance.box.union(companion.box)
    codes = canvas.codes(box)
    parts = np.where(codes == instance.id, np.uint8(SELF), np.uint8(NOTHING))
    if companion is not None:
        parts[codes == companion.id] = COMPANION
    return box, parts
