"""Taking an object out of a scene and putting it back at another pose, by the rules that added ones keep."""

from label_editing.canvas import Canvas
from label_editing.companions import company_of
from label_editing.edits.remove_instances import remove
from label_editing.ground import Ground
from label_editing.instance_bank import is_whole, parts_of
from label_editing.instance_table import Instance
from label_editing.neighbours import Neighbours
from label_editing.perspective import Perspective
from label_editing.placement import Limits, Pose, box_at, check_place, fit_parts, paste, posed


class Lifted:
    """An object (with its companion) taken out of a scene, on a fork of the canvas, to be put down at another pose."""

    def __init__(self, canvas: Canvas, instance: Instance, view: Perspective | None) -> None:
        self._gone = company_of(canvas, instance)
        companion = self._gone[1] if len(self._gone) == 2 else None
        self._canvas = canvas
        self._companion = "" if companion is None else canvas.catalog.with_id(companion.class_id).name
        self._spec = canvas.catalog.with_id(instance.class_id)
        self._ground = Ground.of(canvas.catalog, self._spec)
        box, self._parts = parts_of(canvas, instance, companion)
        self.pose = Pose(box.bottom - 1, box.left + box.width // 2, box.height, False)
        self._trial = canvas.fork()
        remove(self._trial, self._gone)
        self._neighbours = Neighbours(self._trial, view)

    def put(self, pose: Pose, limits: Limits) -> list[Instance]:
        """The object under the ids it had, on the canvas; Unfit, nothing painted there, where it cannot be."""
        parts = posed(self._parts, pose)
        box = box_at(pose, *parts.shape)
        check_place(self._trial, self._ground, box, self._neighbours)
        fit = fit_parts(self._trial, self._spec, self._ground, parts, box, limits)
        new = paste(self._trial, self._spec, fit, self._companion, tuple(i.id for i in self._gone))
        self._canvas.adopt(self._trial)
        return new


def whole_ones(canvas: Canvas, instances: list[Instance]) -> list[Instance]:
    """Those that can be moved: all there, of a class that says where it stands; for what is ridden, its rider."""
    companies = [company_of(canvas, instance) for instance in instances]
    leads = {company[0].id: company[0] for company in companies if len(company) <= 2}
    return [i for i in leads.values() if canvas.catalog.with_id(i.class_id).support and is_whole(canvas, i)]
