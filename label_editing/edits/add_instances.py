"""Objects come: cut-outs pasted where such an object can stand, as tall as it would be there."""

from collections import Counter
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, TouchedInstance, need_instances, touched
from label_editing.edits.counts import Count, as_range
from label_editing.instance_bank import BankEntry, InstanceBank, cut_outs
from label_editing.perspective import Perspective
from label_editing.placement import Fit, Limits, Pose, Unfit, foot_points, most_common, paste, posed, try_pose
from label_editing.silhouettes import silhouette
from label_editing.views import view_of

_MOST_TRIES = 60  # poses tried for each object
_HEIGHT_JITTER = 0.08  # standard deviation of the logarithm: people and cars are not all of one height
_MOST_ENLARGED = 2.0  # a cut-out blown up further shows its pixels


class AddInstances(Edit):
    """Paste instances of a class, from the instance bank, else the scene itself, else made-up outlines."""

    op: Literal["add_instances"] = "add_instances"
    class_name: str = Field(alias="class", description="the class that comes")
    count: Count = Field(default=1, description="how many: a number or [least, most]")
    cutouts: Literal["auto", "bank", "scene", "silhouettes"] = Field(
        default="auto", description="where cut-outs come from; auto takes the first of the others that has any"
    )
    mirror: bool = Field(default=True, description="whether half of them are mirrored")
    min_visible: float = Field(default=0.4, ge=0.0, le=1.0, description="the share of a new object that must show")
    min_left_visible: float = Field(
        default=0.35, ge=0.0, le=1.0, description="the share of each covered object that must still show"
    )
    min_height: float = Field(default=0.025, gt=0.0, le=1.0, description="least height over that of the picture")
    max_height: float = Field(default=0.5, gt=0.0, le=1.0, description="most height over that of the picture")

    @field_validator("count")
    @classmethod
    def _ordered(cls, count: Count) -> Count:
        return as_range(count)

    def class_names(self) -> tuple[str, ...]:
        return (self.class_name,)

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        need_instances(canvas)
        spec = canvas.catalog.named(self.class_name)
        if not spec.thing:
            raise ValueError(f"add_instances of {spec.name!r}: not a thing class")
        if not spec.support:
            raise CannotApply(f"the catalog does not say what a {spec.name} stands on")
        low, high = as_range(self.count)
        wanted = int(rng.integers(low, high + 1))
        placed, instances, reasons = self._place_all(canvas, context, rng, spec, wanted)
        if not placed and wanted:
            raise CannotApply(most_common(reasons))
        return Done({"class": spec.name, "wanted": wanted, "placed": placed}, tuple(instances))

    def _place_all(
        self, canvas: Canvas, context: EditContext, rng: np.random.Generator, spec: ClassSpec, wanted: int
    ) -> tuple[list[dict[str, Any]], list[TouchedInstance], Counter[str]]:
        view = view_of(canvas, context.perspective)
        entries = choose_entries(canvas, context.bank, spec, self.cutouts, rng)
        reasons: Counter[str] = Counter()
        placed: list[dict[str, Any]] = []
        instances: list[TouchedInstance] = []
        for _ in range(wanted):
            points = self._points(canvas, spec, view)
            found = self._find(canvas, rng, spec, entries, view, points, reasons)
            if found is None:
                break
            entry, pose, fit = found
            new = paste(canvas, spec, fit)
            placed.append(_describe(entry, pose, [i.id for i in new]))
            instances.extend(touched(canvas, i, "added") for i in new)
        return placed, instances, reasons

    def _points(self, canvas: Canvas, spec: ClassSpec, view: Perspective | None) -> npt.NDArray[np.intp]:
        points = foot_points(canvas, spec)
        if view is None or spec.height_m is None:
            return points
        rows = points[:, 0]
        heights = spec.height_m * view.scale * (rows - view.horizon_row(canvas.height))
        keep = (heights >= self.min_height * canvas.height) & (heights <= self.max_height * canvas.height)
        return points[keep]

    def _find(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        spec: ClassSpec,
        entries: list[BankEntry],
        view: Perspective | None,
        points: npt.NDArray[np.intp],
        reasons: Counter[str],
    ) -> tuple[BankEntry, Pose, Fit] | None:
        if len(points) == 0:
            reasons[f"no free {'/'.join(spec.support)} wide enough"] += 1
            return None
        limits = Limits(self.min_visible, self.min_left_visible, round(self.min_height * canvas.height))
        for _ in range(_MOST_TRIES):
            row, column = points[rng.integers(len(points))].tolist()
            entry, height = _cut_out_for(canvas, rng, spec, entries, view, row)
            pose = Pose(row, column, max(2, height), bool(self.mirror and rng.random() < 0.5))
            try:
                return entry, pose, try_pose(canvas, spec, posed(entry, pose), pose, limits)
            except Unfit as unfit:
                reasons[str(unfit)] += 1
        return None


def choose_entries(
    canvas: Canvas, bank: InstanceBank | None, spec: ClassSpec, cutouts: str, rng: np.random.Generator
) -> list[BankEntry]:
    """The cut-outs to draw from; ValueError where a bank is asked for that has none."""
    if cutouts == "bank":
        if bank is None:
            raise ValueError("add_instances with cutouts: bank, but there is no instance bank")
        return list(bank.entries(spec.name))
    if cutouts == "auto" and bank is not None and spec.name in bank:
        return list(bank.entries(spec.name))
    if cutouts in ("auto", "scene"):
        own = [replace(entry, origin="scene") for entry in cut_outs(canvas, [spec.name])]
        if own:
            return own
        if cutouts == "scene":
            raise CannotApply(f"the scene has no whole {spec.name} to copy")
    return [silhouette(spec, rng) for _ in range(8)]


def _cut_out_for(
    canvas: Canvas,
    rng: np.random.Generator,
    spec: ClassSpec,
    entries: list[BankEntry],
    view: Perspective | None,
    foot_row: int,
) -> tuple[BankEntry, int]:
    entry = entries[rng.integers(len(entries))]
    jitter = float(np.exp(np.clip(rng.normal(0.0, _HEIGHT_JITTER), -0.2, 0.2)))
    if view is None or spec.height_m is None:
        return entry, round(entry.relative_height * canvas.height * jitter)
    return entry, round(spec.height_m * view.pixels_per_metre(foot_row, canvas.height) * jitter)


def _describe(entry: BankEntry, pose: Pose, ids: list[int]) -> dict[str, Any]:
    return {
        "ids": ids,
        "from": entry.origin,
        "source_key": entry.source_key,
        "foot": [pose.foot_row, pose.foot_column],
        "height_px": pose.height_px,
        "mirrored": pose.mirrored,
    }
