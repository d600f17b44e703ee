"""What `evaluate model` measures of one scene, wherever it is rendered; what adds up is added up by `model.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from generators.inference.device import choose_device
from pipeline.evaluation.boundaries import Boundaries
from pipeline.evaluation.cost import Cost
from pipeline.evaluation.diversity import diversity_of_levels
from pipeline.evaluation.faithfulness import Rendering, SceneRenderer, render_scenes
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.looks import Looks
from pipeline.evaluation.published_features import InceptionFeatures, Lpips
from pipeline.evaluation.scores import Tally
from pipeline.model_directory import OpenModel
from pipeline.sources.base import Image, Source
from pipeline.styles.picks import StylePick


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
class Side:
    """What is counted of the rendered images, or of the real ones."""

    tally: Tally
    looks: Looks
    boundaries: Boundaries
    vectors: list[Tensor]  # what the judge sees, one an image
    inception: list[Tensor]  # what Inception sees, where its weights were given

    @classmethod
    def empty(cls, judge: Judge) -> "Side":
        """Nothing counted yet."""
        catalog = judge.catalog
        return cls(Tally(catalog, judge.ignored), Looks(catalog), Boundaries(catalog), [], [])

    def merge(self, other: "Side") -> None:
        """Count all that another counted."""
        self.tally.merge(other.tally)
        self.looks.merge(other.looks)
        self.boundaries.merge(other.boundaries)
        self.vectors.extend(other.vectors)
        self.inception.extend(other.inception)


@dataclass(frozen=True)
class SceneMeasures:
    """All that is measured of one scene."""

    key: str
    agreement: float  # share of pixels found again in its first image
    rendered: Side
    real: Side
    diversity: float | None
    diversity_lpips: float | None
    shown: ShownScene | None
    cost: Cost | None


@dataclass(frozen=True)
class MeasureScene:
    """Makes what renders and measures the scenes of a source. Pickles, so that any worker can make one.

    The networks travel on the CPU and look where the scene is rendered.
    """

    model: OpenModel
    source: Source
    judge: Judge
    protocol: Protocol
    inception: InceptionFeatures | None
    lpips: Lpips | None
    shown: frozenset[str]  # scenes on the sheet
    timed: str  # the scene that the cost of an image is measured on

    def __call__(self) -> Callable[[str], SceneMeasures]:
        device = choose_device("auto")
        renderer = SceneRenderer(self.model, self.protocol.picks, self.protocol.seed)
        judge = self.judge.on(device)
        inception = None if self.inception is None else self.inception.on(device)

        def measure(key: str) -> SceneMeasures:
            [rendering] = render_scenes(renderer, self.source, [key], judge, self.protocol.styles)
            cost = renderer.cost(rendering.scene) if key == self.timed else None
            return self._measures(rendering, judge, inception, cost)

        return measure

    def _measures(
        self, rendering: Rendering, judge: Judge, inception: InceptionFeatures | None, cost: Cost | None
    ) -> SceneMeasures:
        scene, real, rendered = rendering
        found = judge.predict(np.stack([rendered[0], real]))
        levels = judge.features(np.stack([*rendered, real]))
        sides = (Side.empty(judge), Side.empty(judge))
        for side, image, channels, seen in zip(sides, (rendered[0], real), found, (0, -1), strict=True):
            side.tally.add(channels, scene.labels)
            side.looks.add(image, scene.labels)
            side.boundaries.add(channels, scene)
            side.vectors.append(levels[-1][seen].mean((1, 2)))
            if inception is not None:
                side.inception.extend(inception.vectors(image[None]))
        several = len(rendered) > 1
        agreement = judge.share(found[0], scene.labels)
        return SceneMeasures(
            key=scene.key,
            agreement=agreement,
            rendered=sides[0],
            real=sides[1],
            diversity=diversity_of_levels([level[:-1] for level in levels]) if several else None,
            diversity_lpips=self.lpips.diversity(rendered) if several and self.lpips is not None else None,
            shown=_shown(rendering, agreement, found[0], judge) if scene.key in self.shown else None,
            cost=cost,
        )


def _shown(rendering: Rendering, agreement: float, found: np.ndarray, judge: Judge) -> ShownScene:
    catalog, (scene, real, rendered) = judge.catalog, rendering
    labels, seen = catalog.palette[scene.labels], catalog.palette[catalog.id_of[found]]
    return ShownScene(scene.key, agreement, labels, rendered, real, seen)
