"""Objects come: cut-outs pasted where such an object can stand, as tall as it would be there."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, ValidationInfo, field_validator, model_serializer

from label_editing.canvas import Canvas
from label_editing.catalog import ClassSpec
from label_editing.cutouts import CutOuts, Origin, draw_mirrored, find_cut_outs
from label_editing.edits.base import CannotApply, Done, Edit, EditContext, need_instances, touched
from label_editing.edits.counts import Count, as_range
from label_editing.foot_points import FootPoints, find_foot_points
from label_editing.ground import Ground
from label_editing.instance_bank import BankEntry
from label_editing.instance_table import Instance
from label_editing.neighbours import Neighbours
from label_editing.perspective import Perspective
from label_editing.placement import Limits, Pose, Unfit, box_at, check_place, fit_parts, paste, posed
from label_editing.views import view_of

_MOST_TRIES = 60  # poses tried for each object
_HEIGHT_SPREAD = 0.07  # of the logarithm of heights: people and cars are not all of one size
_MOST_SPREAD = 0.15


class AddInstances(Edit):
    """Paste instances of a class, from the instance bank, else the scene itself, else made-up outlines."""

    op: Literal["add_instances"] = "add_instances"
    class_name: str = Field(alias="class", description="the class that comes")
    count: Count = Field(default=1, description="how many: a number or [least, most]")
    cutouts: Origin = Field(
        default="auto", description="where cut-outs come from; auto takes the first of the others that has any"
    )
    stands_on: tuple[str, ...] = Field(
        default=(), description="only on these of the classes that the catalog lets it stand on, the first ones most"
    )
    mirror: bool = Field(default=True, description="whether cut-outs may be mirrored")
    min_visible: float = Field(default=0.4, ge=0.0, le=1.0, description="the share of a new object that must show")
    min_left_visible: float = Field(
        default=0.35, ge=0.0, le=1.0, description="the share of each covered object that must still show"
    )
    min_height: float = Field(default=0.025, gt=0.0, le=1.0, description="least height over that of the picture")
    max_height: float = Field(default=0.5, gt=0.0, le=1.0, description="most height over that of the picture")

    @field_validator("count")
    @classmethod
    def _ordered(cls, count: Count) -> Count:
        as_range(count)
        return count

    @field_validator("stands_on")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"names {next(name for name in names if names.count(name) > 1)!r} twice")
        return names

    @field_validator("max_height")
    @classmethod
    def _above_least(cls, max_height: float, info: ValidationInfo) -> float:
        if max_height < info.data.get("min_height", 0.0):
            raise ValueError(f"max_height {max_height} is below min_height {info.data['min_height']}")
        return max_height

    def class_names(self) -> tuple[str, ...]:
        return (self.class_name, *self.stands_on)

    def change(self, canvas: Canvas, context: EditContext, rng: np.random.Generator) -> Done:
        need_instances(canvas)
        spec = canvas.catalog.named(self.class_name)
        if not spec.thing:
            raise ValueError(f"add_instances of {spec.name!r}: not a class of things")
        if not spec.support:
            raise CannotApply(f"the catalog does not say what a {spec.name} stands on")
        for name in self.stands_on:
            if name not in spec.support:
                raise ValueError(f"stands_on: {not_a_ground(spec, name)}")
        low, high = as_range(self.count)
        wanted = int(rng.integers(low, high + 1))
        search = self._search(canvas, context, spec, rng)
        placed = [found for found in (search.place(canvas, rng) for _ in range(wanted)) if found is not None]
        if wanted and not placed:
            raise CannotApply(search.most_common_reason())
        parameters = {"class": spec.name, "wanted": wanted, "placed": [described for described, _ in placed]}
        return Done(parameters, tuple(touched(canvas, i, "added") for _, new in placed for i in new))

    def _search(self, canvas: Canvas, context: EditContext, spec: ClassSpec, rng: np.random.Generator) -> "_Search":
        view = view_of(canvas, context.perspective)
        cut_outs = find_cut_outs(canvas, context.bank, spec, self.cutouts, rng)
        if cut_outs is None:
            raise CannotApply(f"the scene has no whole {spec.name} to copy")
        ground = Ground.of(canvas.catalog, spec, self.stands_on)
        points = find_foot_points(canvas, spec, ground, view, (self.min_height, self.max_height))
        if not len(points):
            raise CannotApply(f"no {ground} to stand on")
        limits = Limits(self.min_visible, self.min_left_visible)
        return _Search(spec, ground, view, cut_outs, points, limits, self.mirror, Counter())

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A recipe without it is the one that it was before there was such a key: its data sets can be finished.
        return {key: value for key, value in handler(self).items() if key != "stands_on" or value}


def not_a_ground(spec: ClassSpec, ground: str) -> str:
    """Why a class cannot be put there."""
    return f"a {spec.name} never stands on {ground}; the catalog lets it stand on {', '.join(spec.support)}"


@dataclass(frozen=True)
class _Search:
    """Poses drawn until one holds."""

    spec: ClassSpec
    ground: Ground
    view: Perspective | None
    cut_outs: CutOuts
    points: FootPoints
    limits: Limits
    mirror: bool
    reasons: Counter[str]

    def place(self, canvas: Canvas, rng: np.random.Generator) -> tuple[dict[str, Any], list[Instance]] | None:
        """One more object: how, and its instances; None when no pose holds."""
        neighbours = Neighbours(canvas, self.view)
        for _ in range(_MOST_TRIES):
            entry, pose = self._draw_pose(canvas, rng)
            width = max(1, round(entry.width * pose.height_px / entry.height))
            try:
                check_place(canvas, self.ground, box_at(pose, pose.height_px, width), neighbours)
                parts = posed(entry.parts, pose)
                fit = fit_parts(canvas, self.spec, self.ground, parts, box_at(pose, *parts.shape), self.limits)
            except Unfit as unfit:
                self.reasons[str(unfit)] += 1
                continue
            new = paste(canvas, self.spec, fit, entry.companion)
            return _described(entry, pose, new), new
        return None

    def most_common_reason(self) -> str:
        """Why most poses were turned down."""
        return self.reasons.most_common(1)[0][0]

    def _draw_pose(self, canvas: Canvas, rng: np.random.Generator) -> tuple[BankEntry, Pose]:
        row, column = self.points.draw(rng)
        size = float(np.exp(max(-_MOST_SPREAD, min(_MOST_SPREAD, rng.normal(0.0, _HEIGHT_SPREAD)))))
        if self.view is None or self.spec.height_m is None:
            entry = self.cut_outs.draw(None, rng)
            height = entry.relative_height * canvas.height * size
        else:
            height = max(2.0, self.spec.height_m * self.view.pixels_per_metre(row, canvas.height) * size)
            entry = self.cut_outs.draw(height / canvas.height, rng)
        mirrored = draw_mirrored(entry, 2 * column / canvas.width - 1, rng) and self.mirror
        return entry, Pose(row, column, max(2, round(height)), mirrored)


def _described(entry: BankEntry, pose: Pose, new: list[Instance]) -> dict[str, Any]:
    return {
        "ids": [instance.id for instance in new],
        "cutout": entry.origin,
        "source_key": entry.source_key,
        "foot": [pose.foot_row, pose.foot_column],
        "height_px": pose.height_px,
        "mirrored": pose.mirrored,
    }
