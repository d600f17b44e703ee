"""A virtual change of camera: a window of the scene brought back to full size."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, Done, Edit, EditContext


class CropScene(Edit):
    """Zoom in: crop a window of the picture's aspect, nearest neighbour back to full size."""

    op: Literal["crop_scene"] = "crop_scene"
    zoom: tuple[float, float] = Field(default=(1.1, 1.5), description="least and most magnification")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        low, high = self.zoom
        if not 1.0 <= low <= high <= 16.0:
            raise ValueError(f"zoom [{low:g}, {high:g}]: expected 1 <= least <= most <= 16")
        return self

    def class_names(self) -> tuple[str, ...]:
        return ()

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        zoom = float(np.exp(rng.uniform(*np.log(self.zoom))))
        height, width = max(1, round(canvas.height / zoom)), max(1, round(canvas.width / zoom))
        top = int(rng.integers(canvas.height - height + 1))
        left = int(rng.integers(canvas.width - width + 1))
        box = Box(top, left, top + height, left + width)
        if box == canvas.whole:
            raise CannotApply("the window is the whole picture")
        # Enlarging shows every pixel of the window, so no pole can vanish; `resize_scene` is what may lose them.
        canvas.zoom(box)
        return Done({"zoom": round(zoom, 4), "box": list(box)})
