"""How surprised a judge usually is at each class in what a run renders: found before it, on a few of its samples."""

import math
from functools import partial

import numpy as np
import numpy.typing as npt

from generators.inference import Renderer
from orchestration.cluster import ClusterInfo
from pipeline.augment.beside_plan import keep, kept
from pipeline.augment.editing import Editor
from pipeline.augment.gate import Gate
from pipeline.augment.job import AugmentJob
from pipeline.augment.rendering import render_inputs, to_input
from pipeline.augment.rows import EditedSample, Judging
from pipeline.augment.workers import RENDER_THREADS
from pipeline.errors import RunError
from pipeline.evaluation.judge import Judge
from pipeline.passes import each
from pipeline.shards import layout
from pipeline.shards.pixels import decode_labels
from pipeline.storage import Store

SAMPLES = 96  # enough for classes of a few pixels, and little beside a run
_SURE = -math.log(0.9)  # a label that is so likely is seen, however sure the judge usually is of its class

Sums = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]  # surprise and pixels, by channel


def knowing_the_usual(
    judging: Judging | None, job: AugmentJob, store: Store, cluster: ClusterInfo | None = None
) -> Judging | None:
    """The gate with how much surprise a label may cause, where the recipe asks for labels that images show.

    Kept beside the plan: whoever finishes the run later judges by the same measure.
    """
    factor = job.recipe.quality.max_surprise
    if factor is None or not isinstance(judging, Gate):
        return judging
    usual = _kept(job, store)
    if usual is None:
        usual = _measured(job, judging.judge, cluster)
        numbers = [value if math.isfinite(value) else None for value in usual.tolist()]
        keep(numbers, layout.USUAL_SURPRISE, job, store)
    bearable = np.maximum(factor * usual, _SURE)
    bearable[list(judging.judge.ignored)] = math.inf  # of what it was not taught it has no opinion
    return Gate(judging.judge, bearable, judging.real_agreement)


def _kept(job: AugmentJob, store: Store) -> npt.NDArray[np.float64] | None:
    found = kept(layout.USUAL_SURPRISE, job, store)
    if not isinstance(found, list) or not all(value is None or isinstance(value, float) for value in found):
        return None
    return np.array([math.inf if value is None else value for value in found], np.float64)


def _measured(job: AugmentJob, judge: Judge, cluster: ClusterInfo | None) -> npt.NDArray[np.float64]:
    """By channel, over samples from all over the plan; infinite for a channel that none of them has."""
    count = job.plan.num_samples
    slots = np.unique(np.linspace(0, count - 1, min(SAMPLES, count)).astype(int)).tolist()
    surprise, pixels = np.zeros(judge.catalog.num_channels), np.zeros(judge.catalog.num_channels, np.int64)
    for of_one in each(partial(_Look, job, judge), slots, cluster, "the usual surprise"):
        surprise, pixels = surprise + of_one[0], pixels + of_one[1]
    return np.where(pixels > 0, surprise / np.maximum(pixels, 1), np.inf)


class _Look:
    """One worker that looks at samples before the run; what fails here fails in the run again, which says so."""

    def __init__(self, job: AugmentJob, judge: Judge) -> None:
        import torch

        torch.set_num_threads(RENDER_THREADS)
        self._job, self._editor = job, Editor(job)
        self._renderer = Renderer(job.model.load_generator())
        self._judge = judge.on(self._renderer.device)

    def __call__(self, slot: int) -> Sums:
        channels = self._judge.catalog.num_channels
        sample = self._editor([slot])[0].sample
        if not isinstance(sample, EditedSample):
            return np.zeros(channels), np.zeros(channels, np.int64)
        try:
            [image] = render_inputs(self._renderer, [to_input(sample, self._job.model.catalog)])
        except RunError:
            raise
        except Exception:
            return np.zeros(channels), np.zeros(channels, np.int64)
        labels = decode_labels(sample.labels_png)
        _, [surprise] = self._judge.predict_with_surprise(image[None], [labels])
        ranks = self._judge.catalog.channel_of[labels].ravel()
        return np.bincount(ranks, surprise.ravel(), channels).astype(np.float64), np.bincount(ranks, minlength=channels)
