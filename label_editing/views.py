"""The perspective of the scene on a canvas: its own where it has enough objects, the source's otherwise."""

import numpy as np

from label_editing.canvas import Canvas
from label_editing.perspective import Perspective, fit_perspective, measured_objects

_USUAL_SCALE = 0.75  # a camera 1.33 m above the road


def view_of(canvas: Canvas, prior: Perspective | None) -> Perspective | None:
    """Measured on the scene's objects, else `prior`, else guessed from where its ground begins; None without ground."""
    feet, sizes = measured_objects(canvas.table.values(), canvas.catalog, canvas.height, canvas.width)
    return fit_perspective(feet, sizes, prior) or _from_ground(canvas)


def _from_ground(canvas: Canvas) -> Perspective | None:
    ground = np.zeros(len(canvas.catalog.known), np.bool_)
    ground[[c.id for c in canvas.catalog.classes if c.layer == "ground"]] = True
    rows = np.flatnonzero(ground[canvas.labels[::4, ::4]].mean(axis=1) > 0.01)
    if rows.size == 0 or not any(c.height_m for c in canvas.catalog.classes):
        return None
    return Perspective(horizon=4 * float(rows[0]) / canvas.height, scale=_USUAL_SCALE)
