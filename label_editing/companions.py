"""What comes and goes together: a rider and the bicycle under it."""

from label_editing.canvas import Canvas
from label_editing.instance_table import Instance


def companion_of(canvas: Canvas, instance: Instance) -> Instance | None:
    """The instance that goes with this one: of its companion class, overlapping it, standing on about the same row."""
    spec = canvas.catalog.with_id(instance.class_id)
    if spec.companion is None:
        return None
    wanted = canvas.catalog.named(spec.companion).id
    near = [other for other in canvas.table.values() if other.class_id == wanted and _together(instance, other)]
    return max(near, key=lambda other: _overlap(instance, other), default=None)


def _together(rider: Instance, ridden: Instance) -> bool:
    feet_apart = abs(rider.foot_row - ridden.foot_row)
    return _overlap(rider, ridden) > 0.3 * rider.box.width and feet_apart < 0.5 * rider.box.height


def _overlap(one: Instance, other: Instance) -> int:
    rows = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
    columns = min(one.box.right, other.box.right) - max(one.box.left, other.box.left)
    return columns if rows > 0 and columns > 0 else 0
