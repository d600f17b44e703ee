"""The perspective of the scene on a canvas: its own where it has enough objects, the source's otherwise."""

import numpy as np

from label_editing.canvas import Canvas
from label_editing.perspective import Perspective, fit_perspective, measured_objects
from label_editing.scene import Scene

_USUAL_SCALE = 0.75  # a camera 1.33 m above the road


def view_of(canvas: Canvas, prior: Perspective | None) -> Perspective | None:
    """Measured on the scene's objects, else `prior`, else guessed from where its ground begins; None without ground."""
    feet, sizes = measured_objects(canvas.table.values(), canvas.catalog, canvas.height, canvas.width)
    return fit_perspective(feet, sizes, prior) or _from_ground(canvas)


def view_of_scene(scene: Scene) -> Perspective | None:
    """Measured on the scene's own objects; None where they are too few."""
    canvas = Canvas(scene)
    return fit_perspective(*measured_objects(canvas.table.values(), canvas.catalog, canvas.height, canvas.width))


def _from_ground(canvas: Canvas) -> Perspective | None:
    ground = canvas.catalog.of_layer["ground"]
    rows = np.flatnonzero(ground[canvas.labels[::4, ::4]].mean(axis=1) > 0.01)
    if rows.size == 0 or not any(c.height_m for c in canvas.catalog.classes):
        return None
    return Perspective(horizon=4 * float(rows[0]) / canvas.height, scale=_USUAL_SCALE)
