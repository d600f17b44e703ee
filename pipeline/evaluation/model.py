"""`evaluate model`: everything that is measured of a model on the scenes of a source, in one pass over them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.console import Console
from pipeline.evaluation.boundaries import Boundaries
from pipeline.evaluation.cost import Cost
from pipeline.evaluation.distances import Distances, SegmenterFeatures, segmenter_distances
from pipeline.evaluation.diversity import diversity_segmenter
from pipeline.evaluation.faithfulness import Faithfulness, Rendering, SceneRenderer, render_scenes
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.looks import ClassLook, Looks, color_distance
from pipeline.evaluation.published_features import InceptionDistance, Lpips, open_inception, open_lpips
from pipeline.evaluation.scores import Tally
from pipeline.model_directory import OpenModel
from pipeline.shards.pixels import encode_image
from pipeline.sources.base import Image, Source
from pipeline.sources.selection import keys_with_images
from pipeline.styles.picks import StylePick

_SHOWN = 6  # scenes on the sheet


@dataclass(frozen=True)
class Protocol:
    """How a model is measured."""

    limit: int = 60
    styles: int = 2  # images a scene; diversity needs two
    seed: int = 0
    picks: Sequence[StylePick] = ()
    inception: str | None = None  # published weights, of networks that look as well
    alexnet: Path | None = None


@dataclass(frozen=True)
class ShownScene:
    """One row of the sheet: what goes in, what comes out, the photograph, what the judge saw."""

    key: str
    agreement: float
    labels: Image  # in the catalog's colours
    rendered: Sequence[Image]  # a style each
    real: Image
    found: Image  # in the catalog's colours

    @property
    def pictures(self) -> list[Image]:
        """One row of the sheet."""
        return [self.labels, *self.rendered[:2], self.real, self.found]

    def files(self, number: int) -> dict[str, tuple[str, Image]]:
        """What others put side by side: its name, its path beside the numbers, the picture."""
        named = {"labels": self.labels, "rendered": self.rendered[0], "real": self.real}
        return {name: (f"pictures/{number}-{name}.png", picture) for name, picture in named.items()}


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
        for distances in (self.distances, self.inception):
            measured |= distances.as_data() if distances else {}
        for name, value in (("diversity_segmenter", self.diversity), ("diversity_lpips_alex", self.diversity_lpips)):
            measured |= {} if value is None else {name: value}
        return measured | {"not_measured": self.not_measured()}

    def pictures(self) -> dict[str, bytes]:
        """The files of the shown scenes, by path."""
        files = [file for number, shown in enumerate(self.shown) for file in shown.files(number).values()]
        return {path: encode_image(picture, "png", 100) for path, picture in files}

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


def evaluate_model(model: OpenModel, source: Source, judge: Judge, protocol: Protocol, console: Console) -> ModelResult:
    """Render the source's own label maps and measure the images against its photographs."""
    pairs = keys_with_images(source) or source.keys()  # with none at all, the first is refused
    if bare := len(source.keys()) - len(pairs):
        console.note(f"{bare} of {len(source.keys())} label maps have no image to compare with and are left out")
    keys = list(pairs)[: protocol.limit]
    measures = _Measures(judge, open_inception(protocol.inception), open_lpips(protocol.alexnet))
    renderer = SceneRenderer(model, protocol.picks, protocol.seed)
    with console.progress("rendering and judging", len(keys), "scenes") as progress:
        for rendering in render_scenes(renderer, source, keys, judge, protocol.styles):
            measures.add(rendering)
            progress.advance()
    return measures.result(renderer.cost(source.read_scene(keys[0], judge.resolution)))


class _Measures:
    """All measures, fed scene by scene."""

    def __init__(self, judge: Judge, inception: InceptionDistance | None, lpips: Lpips | None) -> None:
        catalog = judge.catalog
        self._judge, self._inception, self._lpips = judge, inception, lpips
        self._tallies = (Tally(catalog, judge.ignored), Tally(catalog, judge.ignored))
        self._looks = (Looks(catalog), Looks(catalog))
        self._boundaries = (Boundaries(catalog), Boundaries(catalog))
        self._features = (SegmenterFeatures(judge), SegmenterFeatures(judge))
        self._diversity: list[float] = []
        self._diversity_lpips: list[float] = []
        self._agreements: dict[str, float] = {}
        self._shown: list[ShownScene] = []

    def add(self, rendering: Rendering) -> None:
        scene, real, rendered = rendering
        both = np.stack([rendered[0], real])
        found = self._judge.predict(both)
        for side, image in enumerate(both):
            self._tallies[side].add(found[side], scene.labels)
            self._looks[side].add(image, scene.labels)
            self._boundaries[side].add(found[side], scene)
            self._features[side].add(image[None])
            if self._inception is not None:
                self._inception.add(image[None], real=bool(side))
        self._agreements[scene.key] = self._judge.agreement(rendered[0], scene.labels)
        if len(rendered) > 1:
            self._diversity.append(diversity_segmenter(self._judge, rendered))
            if self._lpips is not None:
                self._diversity_lpips.append(self._lpips.diversity(rendered))
        self._show(rendering, found[0])

    def result(self, cost: Cost) -> ModelResult:
        rendered, real = (tally.scores() for tally in self._tallies)
        looks, real_looks = (each.by_class() for each in self._looks)
        met, really_met = (each.by_class() for each in self._boundaries)
        overall, really = (each.overall() for each in self._boundaries)
        made, photographed = (each.stacked() for each in self._features)
        return ModelResult(
            faithfulness=Faithfulness(rendered, real, len(self._agreements)),
            agreements=self._agreements,
            distances=segmenter_distances(photographed, made),
            inception=None if self._inception is None else self._inception.value(),
            diversity=float(np.mean(self._diversity)) if self._diversity else None,
            diversity_lpips=float(np.mean(self._diversity_lpips)) if self._diversity_lpips else None,
            looks={name: (looks[name], real_looks[name]) for name in looks},
            boundaries={name: (met[name], really_met[name]) for name in met},
            boundary_agreement=None if overall is None or really is None else (overall, really),
            confusion=self._tallies[0].confusion.tolist(),
            cost=cost,
            shown=self._shown,
        )

    def _show(self, rendering: Rendering, found: np.ndarray) -> None:
        if len(self._shown) >= _SHOWN:
            return
        catalog, (scene, real, rendered) = self._judge.catalog, rendering
        ids = np.array([spec.id for spec in catalog.classes])
        labels, seen = catalog.palette[scene.labels], catalog.palette[ids[found]]
        self._shown.append(ShownScene(scene.key, self._agreements[scene.key], labels, rendered, real, seen))


def _compared(rendered: ClassLook, real: ClassLook) -> dict[str, Any]:
    return {
        "rendered": rendered.as_data(),
        "real": real.as_data(),
        "color_distance": color_distance(rendered, real),
        "sharpness_of_real": rendered.sharpness / real.sharpness if real.sharpness else 1.0,
    }
