"""How well a judge segments photographs that it has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.console import Console
from pipeline.errors import SourceError
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.scores import Scores, Tally
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images

_SHOWN = 4  # best ones, and as many worst ones


@dataclass(frozen=True)
class JudgeResult:
    """Over all held-out scenes, and scene by scene."""

    scores: Scores
    confusion: list[list[int]]  # rows are true
    agreements: Mapping[str, float]  # by key

    @property
    def worst(self) -> tuple[str, ...]:
        """The scenes with the least agreement, the worst first."""
        return tuple(sorted(self.agreements, key=lambda key: self.agreements[key])[:_SHOWN])

    @property
    def best(self) -> tuple[str, ...]:
        """Those with the most of the others, the best first."""
        others = [key for key in self.agreements if key not in self.worst]
        return tuple(sorted(others, key=lambda key: -self.agreements[key])[:_SHOWN])

    def as_data(self) -> dict[str, Any]:
        """The result file."""
        return {
            "scenes": len(self.agreements),
            "scores": self.scores.as_data(),
            "agreement": dict(self.agreements),
            "confusion": self.confusion,
        }


def measure_judge(judge: Judge, held_out: Source, console: Console) -> JudgeResult:
    """The judge on every photograph of a source, read one by one; SourceError where there is nothing to score."""
    tally, agreements = Tally(judge.catalog, judge.ignored), {}
    keys = keys_with_images(held_out)
    with console.progress("measuring the judge", len(keys), "scenes") as progress:
        for key in keys:
            scene, image = held_out.read(key, judge.resolution)
            assert image is not None  # keys_with_images
            [found] = judge.predict(image[None])
            tally.add(found, scene.labels)
            agreements[key] = judge.share(found, scene.labels)
            progress.advance()
    try:
        return JudgeResult(tally.scores(), tally.confusion.tolist(), agreements)
    except ValueError as error:
        raise SourceError(f"the held-out source: {error}") from None
