"""How well a judge segments photographs that it has not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.console import Console
from pipeline.errors import SourceError
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.left_out import note_of_left_out
from pipeline.evaluation.scores import Scores, Tally
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images

_SHOWN = 4  # best ones, and as many worst ones


@dataclass(frozen=True)
class JudgeResult:
    """Over all held-out scenes, and scene by scene."""

    scores: Scores
    classes: list[str]  # in the order of rows and columns of
    confusion: list[list[int]]  # rows are true
    agreements: Mapping[str, float]  # by key
    notes: tuple[str, ...] = ()

    def extremes(self) -> tuple[list[str], list[str]]:
        """The scenes with the least agreement, the worst first, and of the others those with the most."""
        in_order = sorted(self.agreements, key=lambda key: self.agreements[key])
        return in_order[:_SHOWN], in_order[_SHOWN:][::-1][:_SHOWN]

    def as_data(self) -> dict[str, Any]:
        """The result file."""
        return {
            "scenes": len(self.agreements),
            "scores": self.scores.as_data(),
            "agreement": dict(self.agreements),
            "classes": self.classes,
            "confusion": self.confusion,
            "notes": list(self.notes),
        }


def measure_judge(judge: Judge, held_out: Source, console: Console, notes: Sequence[str] = ()) -> JudgeResult:
    """The judge on every photograph of a source, read one by one; SourceError where there is nothing to score."""
    tally, agreements = Tally(judge.catalog, judge.ignored), {}
    keys = keys_with_images(held_out)
    with console.progress("measuring the judge", len(keys), "scenes") as progress:
        for key in keys:
            scene, image = held_out.read(key, judge.resolution)
            assert image is not None  # keys_with_images
            [found] = judge.predict(image[None])
            tally.add(found, scene.labels)
            if judge.counts(scene.labels):
                agreements[key] = judge.share(found, scene.labels)
            progress.advance()
    try:
        empty = len(keys) - len(agreements)
        left_out = [note for note in (note_of_left_out(held_out, "the held-out source"),) if note]
        left_out += [f"{empty} of {len(keys)} label maps have no pixel that counts, and are left out"] if empty else []
        confusion, classes = tally.confusion.tolist(), list(judge.catalog.names)
        return JudgeResult(tally.scores(), classes, confusion, agreements, (*notes, *left_out))
    except ValueError as error:
        raise SourceError(f"the held-out source: {error}") from None
