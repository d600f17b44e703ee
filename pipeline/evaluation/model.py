"""`evaluate model`: everything that is measured of a model on the scenes of a source, in one pass over them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from orchestration.cluster import ClusterInfo
from pipeline.console import Console
from pipeline.evaluation.cost import Cost
from pipeline.evaluation.distances import Distances, distances
from pipeline.evaluation.faithfulness import Faithfulness
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.left_out import note_of_left_out
from pipeline.evaluation.looks import ClassLook, color_distance
from pipeline.evaluation.published_features import open_inception, open_lpips
from pipeline.evaluation.scene_measures import MeasureScene, Protocol, SceneMeasures, ShownScene, Side
from pipeline.evaluation.scores import note_of_weakness
from pipeline.glance import spread
from pipeline.model_directory import OpenModel
from pipeline.passes import each
from pipeline.shards.pixels import encode_image
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images

_SHOWN = 6  # scenes on the sheet


@dataclass(frozen=True)
class ModelResult:
    """What is said of a model."""

    faithfulness: Faithfulness
    agreements: dict[str, float]  # scene -> share of pixels found again in its first image
    distances: Distances | None
    inception: Distances | None
    diversity: float | None
    diversity_lpips: float | None
    looks: dict[str, tuple[ClassLook, ClassLook]]  # class -> rendered, real
    boundaries: dict[str, tuple[float, float]]
    boundary_agreement: tuple[float, float] | None
    confusion: list[list[int]]
    cost: Cost
    shown: Sequence[ShownScene] = field(repr=False, default=())
    left_out: str = ""

    def as_data(self) -> dict[str, Any]:
        """The result file, pictures left out. What was not measured is left out too, and named."""
        measured: dict[str, Any] = {
            "scenes": self.faithfulness.num_scenes,
            "rendered": self.faithfulness.rendered.as_data(),
            "real": self.faithfulness.real.as_data(),
            "agreement": self.agreements,
            "looks": {name: _compared(*both) for name, both in self.looks.items()},
            "confusion": self.confusion,
            "cost": self.cost.as_data(),
            "notes": self.notes(),
            "shown": [
                {"key": shown.key} | {name: path for name, (path, _) in shown.files(number).items()}
                for number, shown in enumerate(self.shown)
            ],
        }
        if self.faithfulness.share is not None:
            measured["share_of_real"] = self.faithfulness.share
        if self.boundary_agreement is not None:
            measured["boundary_agreement"] = dict(zip(("rendered", "real"), self.boundary_agreement, strict=True))
            measured["boundary_agreement_by_class"] = self.boundaries
        for each_network in (self.distances, self.inception):
            measured |= each_network.as_data() if each_network else {}
        for name, value in (("diversity_segmenter", self.diversity), ("diversity_lpips_alex", self.diversity_lpips)):
            measured |= {} if value is None else {name: value}
        return measured | {"not_measured": self.not_measured()}

    def pictures(self) -> dict[str, bytes]:
        """The files of the shown scenes, by path."""
        files = [file for number, shown in enumerate(self.shown) for file in shown.files(number).values()]
        return {path: encode_image(picture, "png", 100) for path, picture in files}

    def notes(self) -> list[str]:
        """What takes from the worth of the numbers."""
        weakness = note_of_weakness(self.faithfulness.real)
        return [note for note in (weakness, self.left_out) if note]

    def not_measured(self) -> list[str]:
        """What could not be said of this model on these scenes, and why."""
        missing = []
        if self.faithfulness.share is None:
            missing.append("share_of_real: the judge finds nothing in the real images either")
        if self.distances is None:
            missing.append("fid_segmenter and kid_segmenter: fewer than 4 scenes")
        if self.diversity is None:
            missing.append("diversity_segmenter: one style a scene")
        if self.boundary_agreement is None:
            missing.append("boundary_agreement: the scenes have no instances")
        if self.inception is None:
            missing.append("fid_inception and kid_inception: no Inception weights given (--inception)")
        if self.diversity_lpips is None:
            missing.append("diversity_lpips_alex: no AlexNet weights given (--alexnet)")
        absent = self.faithfulness.real.absent
        return missing + ([f"classes that never occur: {', '.join(absent)}"] if absent else [])


def evaluate_model(
    model: OpenModel,
    source: Source,
    judge: Judge,
    protocol: Protocol,
    console: Console,
    cluster: ClusterInfo | None = None,
) -> ModelResult:
    """Render the source's own label maps and measure the images against its photographs; over a cluster where given."""
    pairs = keys_with_images(source) or source.keys()  # with none at all, the first is refused
    left_out = note_of_left_out(source, "the source")
    if left_out:
        console.note(left_out)
    keys = spread(pairs, protocol.limit)
    inception, lpips = open_inception(protocol.inception), open_lpips(protocol.alexnet)
    shown = frozenset(spread(keys, _SHOWN))  # frames of one drive follow one another, and look alike
    make = MeasureScene(model, source, judge.on("cpu"), protocol, inception, lpips, shown, timed=keys[0])
    sum_of_all = _Sum(judge)
    with console.progress("rendering and judging", len(keys), "scenes") as progress:
        for measures in each(make, keys, cluster, "evaluation"):
            sum_of_all.add(measures)
            progress.advance()
    return replace(sum_of_all.result(), left_out=left_out)


class _Sum:
    """The measures of all scenes."""

    def __init__(self, judge: Judge) -> None:
        self._rendered, self._real = Side.empty(judge), Side.empty(judge)
        self._agreements: dict[str, float] = {}
        self._diversity: list[float | None] = []
        self._diversity_lpips: list[float | None] = []
        self._shown: list[ShownScene] = []
        self._costs: list[Cost] = []

    def add(self, scene: SceneMeasures) -> None:
        self._rendered.merge(scene.rendered)
        self._real.merge(scene.real)
        self._agreements[scene.key] = scene.agreement
        self._diversity.append(scene.diversity)
        self._diversity_lpips.append(scene.diversity_lpips)
        self._shown.extend([scene.shown] if scene.shown is not None else [])
        self._costs.extend([scene.cost] if scene.cost is not None else [])

    def result(self) -> ModelResult:
        rendered, real = self._rendered, self._real
        looks, real_looks = rendered.looks.by_class(), real.looks.by_class()
        met, really_met = rendered.boundaries.by_class(), real.boundaries.by_class()
        overall, really = rendered.boundaries.overall(), real.boundaries.overall()
        [cost] = self._costs
        return ModelResult(
            faithfulness=Faithfulness(rendered.tally.scores(), real.tally.scores(), len(self._agreements)),
            agreements=self._agreements,
            distances=distances("segmenter", real.vectors, rendered.vectors),
            inception=distances("inception", real.inception, rendered.inception),
            diversity=_mean(self._diversity),
            diversity_lpips=_mean(self._diversity_lpips),
            looks={name: (looks[name], real_looks[name]) for name in looks},
            boundaries={name: (met[name], really_met[name]) for name in met},
            boundary_agreement=None if overall is None or really is None else (overall, really),
            confusion=rendered.tally.confusion.tolist(),
            cost=cost,
            shown=self._shown,
        )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _compared(rendered: ClassLook, real: ClassLook) -> dict[str, Any]:
    return {
        "rendered": rendered.as_data(),
        "real": real.as_data(),
        "color_distance": color_distance(rendered, real),
        "sharpness_of_real": rendered.sharpness / real.sharpness if real.sharpness else 1.0,
    }
