"""What comes and goes together: a rider and the bicycle or motorcycle under it."""

from collections.abc import Iterable

import cv2
import numpy as np

from label_editing.canvas import Canvas
from label_editing.instance_table import Instance

_LEAST_SHARED_WIDTH = 0.3  # of the narrower of the two
_LOWEST_WHEELS = 0.6  # how far wheels may reach below the feet, over the height of both together
_LOWEST_FEET = 0.25  # and feet below the wheels, over the height of the rider


def companion_of(canvas: Canvas, instance: Instance) -> Instance | None:
    """What this instance rides: of one of its companion classes, under it, and touching it most."""
    names = canvas.catalog.with_id(instance.class_id).companion
    if not names:
        return None
    wanted = {canvas.catalog.named(name).id for name in names}
    near = [other for other in canvas.table.values() if other.class_id in wanted and _carries(instance, other)]
    if len(near) < 2:
        return near[0] if near else None
    return max(near, key=lambda other: (_contact(canvas, instance, other), _shared_columns(instance, other)))


def company_of(canvas: Canvas, instance: Instance) -> list[Instance]:
    """All that comes and goes with an instance, riders first: it alone where it neither rides nor is ridden."""
    ridden = companion_of(canvas, instance) or instance
    riders = riders_on(canvas, ridden)
    return [*riders, ridden] if riders else [instance]


def riders_on(canvas: Canvas, ridden: Instance) -> list[Instance]:
    """The instances that have this one as their companion: on a motorcycle there may be two."""
    spec = canvas.catalog.with_id(ridden.class_id)
    riding = {c.id for c in canvas.catalog.classes if spec.name in c.companion}
    return [i for i in canvas.table.values() if i.class_id in riding and companion_of(canvas, i) == ridden]


def with_company(canvas: Canvas, instances: Iterable[Instance]) -> list[Instance]:
    """The instances, each with what comes and goes with it, once."""
    found: dict[int, Instance] = {}
    for instance in instances:
        found |= {other.id: other for other in company_of(canvas, instance)}
    return list(found.values())


def _carries(rider: Instance, ridden: Instance) -> bool:
    both = rider.box.union(ridden.box)
    lower = ridden.foot_row - rider.foot_row
    return (
        _shared_columns(rider, ridden) > _LEAST_SHARED_WIDTH * min(rider.box.width, ridden.box.width)
        and -_LOWEST_FEET * rider.height <= lower <= _LOWEST_WHEELS * both.height
    )


def _shared_columns(one: Instance, other: Instance) -> int:
    """0 where they are apart in rows."""
    shared = one.box.grown(1, 0).shared(other.box)
    return 0 if shared.empty else shared.width


def _contact(canvas: Canvas, one: Instance, other: Instance) -> int:
    """How many pixels of the other touch the one."""
    codes = canvas.codes(one.box.grown(1, 1).clipped(canvas.height, canvas.width))
    around = cv2.dilate((codes == one.id).view(np.uint8), np.ones((3, 3), np.uint8))
    return int(np.count_nonzero(around.view(np.bool_) & (codes == other.id)))
