"""The quality gate of a run: how much of its label map a judge finds again in each image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from label_editing.scene import LabelMap
from pipeline.augment.beside_plan import keep, kept
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import Judged, Judging
from pipeline.console import Console
from pipeline.model_directory import OpenModel
from pipeline.recipe import Recipe
from pipeline.resolution import Resolution
from pipeline.shards import layout
from pipeline.storage import Store

if TYPE_CHECKING:
    from pipeline.evaluation.judge import Judge, JudgeSettings

JUDGES = "runs/judges"  # shared with `synthgen evaluate`
_CUDA_BATCH = 4


def judging_for(job: AugmentJob, console: Console, judges: str = JUDGES) -> Judging | None:
    """What judges the images of a run; None where the recipe asks for nothing, so that nothing is trained for nothing.

    The judge learns from the real pairs that the model was trained on, at the resolution of the run; it is none that
    the model learned from.
    """
    if not job.recipe.quality.asks_a_judge:
        return None
    from pipeline.evaluation.judge import agreement_on_own, judge_for
    from pipeline.evaluation.training_source import source_of

    settings = _settings(job.recipe, job.model, console)
    pairs, cache = source_of(job.model), Store(judges)
    judge = judge_for(pairs, job.resolution, settings, cache, console)
    job.model.check_catalog(judge.catalog, "the judge")
    return Gate(judge, real_agreement=agreement_on_own(judge, pairs, cache))


def judge_of(recipe: Recipe, model: OpenModel, resolution: Resolution) -> str:
    """The fingerprint of the judge that decides which samples stay, known before it is trained; empty without one."""
    if not recipe.quality.asks_a_judge:
        return ""
    from pipeline.evaluation.judge import judge_fingerprint
    from pipeline.evaluation.training_source import source_of

    return judge_fingerprint(source_of(model), resolution, _settings(recipe, model))


def _settings(recipe: Recipe, model: OpenModel, console: Console | None = None) -> "JudgeSettings":
    from pipeline.evaluation.judge import JudgeSettings, impartial

    steps = recipe.quality.judge_steps
    settings = JudgeSettings() if steps is None else replace(JudgeSettings(), steps=steps)
    return impartial(settings, model.card.training.teachers, console)


def keep_real_agreement(judging: Judging | None, job: AugmentJob, store: Store) -> None:
    """For the report of whoever finishes the run."""
    if isinstance(judging, Gate) and judging.real_agreement is not None:
        keep(judging.real_agreement, layout.REAL_AGREEMENT, job, store)


def kept_real_agreement(job: AugmentJob, store: Store) -> float | None:
    """None where nobody measured it."""
    found = kept(layout.REAL_AGREEMENT, job, store)
    return found if isinstance(found, float) else None


class Gate:
    """The judge as a worker of the render stage has it: travels on the CPU, judges where images are rendered.

    A label is seen where the judge is no more surprised at it than is `bearable`, by channel; None asks for no map of
    what is seen. `real_agreement` is what it says of the real pairs that it learned from.
    """

    def __init__(
        self,
        judge: "Judge",
        bearable: npt.NDArray[np.float64] | None = None,
        real_agreement: float | None = None,
    ) -> None:
        self.judge, self.bearable, self.real_agreement = judge.on("cpu"), bearable, real_agreement
        self._placed: Judge | None = None

    def __reduce__(self) -> tuple[type["Gate"], tuple["Judge", npt.NDArray[np.float64] | None, float | None]]:
        return Gate, (self.judge, self.bearable, self.real_agreement)

    def __call__(self, images: npt.NDArray[np.uint8], labels: Sequence[LabelMap]) -> list[Judged]:
        """What it says of each image, in passes of one size: the same in whatever company an image comes."""
        judge = self._here()
        size = 1 if judge.network.device.type == "cpu" else _CUDA_BATCH
        judged: list[Judged] = []
        for start in range(0, len(images), size):
            some = list(range(start, min(start + size, len(images))))
            filled = some + some[:1] * (size - len(some))
            judged += self._pass(judge, images[filled], [labels[k] for k in filled])[: len(some)]
        return judged

    def _pass(self, judge: "Judge", images: npt.NDArray[np.uint8], labels: Sequence[LabelMap]) -> list[Judged]:
        if self.bearable is None:
            return [Judged(agreement) for agreement in judge.agreements(images, labels)]
        found, surprise = judge.predict_with_surprise(images, labels)
        channels = judge.catalog.channel_of[np.stack(labels)]
        seen = surprise <= self.bearable[channels]
        return [Judged(judge.share(*of_one), mask) for *of_one, mask in zip(found, labels, seen, strict=True)]

    def _here(self) -> "Judge":
        if self._placed is None:
            from generators.inference.device import choose_device

            self._placed = self.judge.on(choose_device("auto"))
        return self._placed
