"""Which instances an edit means."""

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from label_editing.canvas import Canvas
from label_editing.edits.base import CannotApply, EditContext
from label_editing.instance_table import Instance
from label_editing.views import view_of

_FOCAL_OVER_WIDTH = 1.1  # of a camera with a field of view of about 50 degrees


class Where(BaseModel):
    """Limits an instance must keep within."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_area_px: int | None = Field(default=None, ge=0)
    max_area_px: int | None = Field(default=None, ge=0)
    min_height_px: int | None = Field(default=None, ge=0)
    max_height_px: int | None = Field(default=None, ge=0)
    min_bottom_row: int | None = Field(default=None, ge=0)
    max_bottom_row: int | None = Field(default=None, ge=0)
    min_distance_m: float | None = Field(default=None, ge=0)
    max_distance_m: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for what in ("area_px", "height_px", "bottom_row", "distance_m"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{what} {low} is above max_{what} {high}")
        return self

    @property
    def by_distance(self) -> bool:
        return self.min_distance_m is not None or self.max_distance_m is not None

    def choose(self, canvas: Canvas, context: EditContext, instances: list[Instance]) -> list[Instance]:
        """Those that keep within all limits; CannotApply where a distance is asked for and cannot be measured."""
        chosen = [i for i in instances if self._fits(i)]
        if not self.by_distance:
            return chosen
        view = view_of(canvas, context.perspective)
        if view is None:
            raise CannotApply("no perspective to measure distances with")
        focal_px = _FOCAL_OVER_WIDTH * canvas.width
        return [
            i
            for i in chosen
            if _within(view.distance_m(i.foot_row, canvas.height, focal_px), self.min_distance_m, self.max_distance_m)
        ]

    def _fits(self, instance: Instance) -> bool:
        return (
            _within(instance.area, self.min_area_px, self.max_area_px)
            and _within(instance.height, self.min_height_px, self.max_height_px)
            and _within(instance.foot_row, self.min_bottom_row, self.max_bottom_row)
        )


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def draw_some(
    candidates: list[Instance], fraction: float, count: tuple[int, int] | None, rng: np.random.Generator
) -> list[Instance]:
    """`count` of the candidates, or that fraction of them, in their order."""
    if count is not None:
        wanted = min(len(candidates), int(rng.integers(count[0], count[1] + 1)))
    elif fraction >= 1.0:
        return candidates
    else:
        wanted = int(np.floor(fraction * len(candidates) + rng.random()))
    picked = rng.permutation(len(candidates))[:wanted]
    return [candidates[i] for i in sorted(picked.tolist())]
