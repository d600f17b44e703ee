"""Taking an object out of a scene and putting it back at another pose, by the rules that added ones keep."""

from label_editing.canvas import Canvas
from label_editing.companions import companion_of
from label_editing.edits.remove_instances import remove
from label_editing.instance_bank import is_whole, parts_of
from label_editing.instance_table import Instance
from label_editing.neighbours import Neighbours
from label_editing.perspective import Perspective
from label_editing.placement import Limits, Pose, box_at, check_place, fit_parts, paste, posed


def repose(canvas: Canvas, instance: Instance, pose: Pose, view: Perspective | None, limits: Limits) -> list[Instance]:
    """The object and its companion, under their ids, at the new pose; Unfit, nothing painted, where it cannot be."""
    spec = canvas.catalog.with_id(instance.class_id)
    companion = companion_of(canvas, instance)
    trial = canvas.fork()
    gone = [instance] if companion is None else [instance, companion]
    _, parts = parts_of(canvas, instance, companion)
    remove(trial, gone)
    parts = posed(parts, pose)
    box = box_at(pose, *parts.shape)
    check_place(trial, spec, box, Neighbours(trial, view))
    fit = fit_parts(trial, spec, parts, box, limits)
    new = paste(trial, spec, fit, tuple(i.id for i in gone))
    canvas.adopt(trial)
    return new


def pose_of(canvas: Canvas, instance: Instance) -> Pose:
    """How an object stands now."""
    box, _ = parts_of(canvas, instance, companion_of(canvas, instance))
    return Pose(box.bottom - 1, box.left + box.width // 2, box.height, False)


def whole_ones(canvas: Canvas, instances: list[Instance]) -> list[Instance]:
    """Those that can be moved: all there, of a class that says where it stands."""
    return [i for i in instances if canvas.catalog.with_id(i.class_id).support and is_whole(canvas, i)]
