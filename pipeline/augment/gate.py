"""The quality gate of a run: how much of its label map a judge finds again in each image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from label_editing.scene import LabelMap
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import Agreement
from pipeline.console import Console
from pipeline.model_directory import OpenModel
from pipeline.recipe import Recipe
from pipeline.resolution import Resolution
from pipeline.storage import Store

if TYPE_CHECKING:
    from pipeline.evaluation.judge import Judge

JUDGES = "runs/judges"  # shared with `synthgen evaluate`
_CUDA_BATCH = 4


def agreement_for(job: AugmentJob, console: Console, judges: str = JUDGES) -> Agreement | None:
    """What measures agreement; None where the recipe sets no least one, so that nothing is trained for nothing.

    The judge learns from the real pairs that the model was trained on, at the resolution of the run.
    """
    if job.recipe.quality.min_agreement is None:
        return None
    from pipeline.evaluation.judge import JudgeSettings, judge_for
    from pipeline.evaluation.training_source import source_of

    judge = judge_for(source_of(job.model), job.resolution, JudgeSettings(), Store(judges), console)
    job.model.check_catalog(judge.catalog, "the judge")
    return Gate(judge)


def judge_of(recipe: Recipe, model: OpenModel, resolution: Resolution) -> str:
    """The fingerprint of the judge that decides which samples stay, known before it is trained; empty without one."""
    if recipe.quality.min_agreement is None:
        return ""
    from pipeline.evaluation.judge import JudgeSettings, judge_fingerprint
    from pipeline.evaluation.training_source import source_of

    return judge_fingerprint(source_of(model), resolution, JudgeSettings())


class Gate:
    """The judge as a worker of the render stage has it: travels on the CPU, judges where images are rendered."""

    def __init__(self, judge: "Judge") -> None:
        self._judge = judge.on("cpu")
        self._placed: Judge | None = None

    def __reduce__(self) -> tuple[type["Gate"], tuple["Judge"]]:
        return Gate, (self._judge,)

    def __call__(self, images: npt.NDArray[np.uint8], labels: Sequence[LabelMap]) -> list[float]:
        """The agreement of each image, in passes of one size: an image's is the same in whatever company it comes."""
        judge = self._here()
        size = 1 if judge.network.device.type == "cpu" else _CUDA_BATCH
        agreements: list[float] = []
        for start in range(0, len(images), size):
            some = list(range(start, min(start + size, len(images))))
            filled = some + some[:1] * (size - len(some))
            agreements += judge.agreements(images[filled], [labels[k] for k in filled])[: len(some)]
        return agreements

    def _here(self) -> "Judge":
        if self._placed is None:
            from generators.inference.device import choose_device

            self._placed = self._judge.on(choose_device("auto"))
        return self._placed
