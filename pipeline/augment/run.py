"""A run: own the output, make the shards that are missing, then write what needs all of them."""

import math
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from orchestration.cluster import ClusterInfo
from orchestration.shard_engine import EngineFailed, ShardTask, Stage, StageFailed, run_shards
from pipeline.augment.failures import FailureLimit
from pipeline.augment.finalise import finalise
from pipeline.augment.finishing import Finisher, ShardReport
from pipeline.augment.job import AugmentJob
from pipeline.augment.lease import Claim, hold_lease
from pipeline.augment.rows import Agreement, Outcome
from pipeline.augment.watch import Watch, watching
from pipeline.console import Progress
from pipeline.errors import RunError, SynthgenError
from pipeline.instance_banks import edit_context
from pipeline.plan import Shard
from pipeline.plan_record import PlanRecord, settle_plan
from pipeline.shards import layout
from pipeline.shards.commit import committed_shards, read_markers
from pipeline.storage import Store

# Samples that travel together. Each costs the driver some 10 ms, so a shard is a few of them however large it is, and
# yet more than one, so that a shard is rendered while it is still being edited.
_LEAST_BATCH = 8
_BATCHES_A_SHARD = 4

# Torch sums in another order for another number of threads, and images would differ in their last bits from machine to
# machine, and between a run and the one that resumes it. More CPUs get more workers instead.
RENDER_THREADS = 2


@dataclass
class Tally:
    """How a run stands, counted from the shards that are committed."""

    shards: int = 0
    samples: int = 0
    resumed_shards: int = 0
    resumed_samples: int = 0
    size: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)

    @property
    def note(self) -> str:
        """What is worth seeing beside the progress."""
        lost = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return f"{self.shards} shards{', ' + lost if lost else ''}"

    @property
    def time_shares(self) -> str:
        """Where the workers' time went, the most first; empty when none was spent."""
        spent = sum(self.seconds.values())
        return ", ".join(f"{stage} {s / spent:.0%}" for stage, s in self.seconds.most_common() if spent)


def run_augment(
    job: AugmentJob,
    record: PlanRecord,
    store: Store,
    connect: Callable[[], ClusterInfo],
    progress: Progress,
    recipe_text: str,
    agreement: Agreement | None = None,
) -> Tally:
    """Make the data set, or what is missing of it. Run again after any interruption it goes on where it stopped.

    Ray is started, by `connect`, only when there is work for it.
    """
    started = time.monotonic()
    check_output(store)
    with hold_lease(store) as claim:
        settle_plan(store, record)
        tally, missing = _take_stock(job, store)
        progress.set(tally.samples, job.plan.num_samples, tally.note)
        _check_failures(job, tally, [])
        if missing:
            _make_shards(job, store, claim, connect(), missing, tally, progress, agreement)
        if missing or not store.exists(layout.DATASET):
            claim.check()
            _check_made(job, tally)
            finalise(job, store, dict(tally.seconds), time.monotonic() - started, recipe_text)
    return tally


def check_output(store: Store) -> None:
    """Refuse an output that holds something else, and one that cannot be written."""
    if not store.exists(layout.PLAN):
        strangers = [f.path for f in store.list() if not f.path.startswith(f"{layout.STATE}/")]
        if strangers:
            raise RunError(
                f"{store.url}: holds files that are no data set of synthgen ({strangers[0]}); give another output.root"
            )
    store.check_writable()


def _take_stock(job: AugmentJob, store: Store) -> tuple[Tally, list[Shard]]:
    """What is committed, and what is not."""
    done = set(committed_shards(store))
    tally = Tally()
    for marker in read_markers(store, sorted(done)):
        if marker.plan != job.plan_fingerprint:
            raise RunError(f"{store.place(layout.marker_path(marker.shard))}: belongs to another plan")
        tally.shards += 1
        tally.samples += marker.samples
        tally.size += marker.size
        tally.outcomes.update(reject["outcome"] for reject in marker.rejects)
    tally.resumed_shards, tally.resumed_samples = tally.shards, tally.samples
    return tally, [shard for shard in job.plan.shards() if shard.id not in done]


def _make_shards(
    job: AugmentJob,
    store: Store,
    claim: Claim,
    cluster: ClusterInfo,
    missing: list[Shard],
    tally: Tally,
    progress: Progress,
    agreement: Agreement | None,
) -> None:
    job = with_context(job, store, cluster)
    examples: list[dict[str, Any]] = []
    watch = Watch([shard.id for shard in missing])

    def complain(complaint: str) -> None:
        progress.set(tally.samples, job.plan.num_samples, f"{tally.note}; {complaint}")

    with closing(_reports(job, store, claim, cluster, missing, agreement)) as reports, watching(watch, complain):
        for report in reports:
            watch.reported()
            _count(report, tally)
            examples += [reject.as_data() for reject in report.failures]
            progress.set(tally.samples, job.plan.num_samples, tally.note)
            _check_failures(job, tally, examples)


def _check_failures(job: AugmentJob, tally: Tally, examples: list[dict[str, Any]]) -> None:
    """RunError when more samples failed, in all shards ever made, than the recipe bears."""
    limit = FailureLimit.of(job.recipe.on_error, job.plan.num_samples)
    failed = tally.outcomes[Outcome.FAILED]
    if limit.exceeded(failed):
        raise RunError(limit.message(failed, examples[:5]))


def _check_made(job: AugmentJob, tally: Tally) -> None:
    """RunError when every slot stayed empty: that is no data set."""
    if tally.samples == 0:
        lost = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
        raise RunError(
            f"none of {job.plan.num_samples} samples could be made ({lost or 'nothing was tried'}); "
            "see which required edit never fits, or which quality.min_agreement is out of reach"
        )


def with_context(job: AugmentJob, store: Store, cluster: ClusterInfo | None = None) -> AugmentJob:
    """The job with what its edits need of the whole source: an instance bank, which is kept beside the plan."""
    kept = Store(store.place(layout.STATE))
    return replace(job, context=edit_context(job.recipe.edits, job.source, kept, job.resolution, cluster))


def _count(report: ShardReport, tally: Tally) -> None:
    tally.outcomes.update(report.outcomes)
    tally.seconds.update(report.seconds)
    if report.committed:
        tally.shards += 1
        tally.samples += report.samples
        tally.size += report.size


def _reports(
    job: AugmentJob, store: Store, claim: Claim, cluster: ClusterInfo, missing: list[Shard], agreement: Agreement | None
) -> Generator[ShardReport, None, None]:
    on_gpu = cluster.gpus >= 1
    batch = max(_LEAST_BATCH, math.ceil(job.plan.samples_per_shard / _BATCHES_A_SHARD))
    stages = [
        Stage("edit", partial(make_editor, job), batch),
        Stage(
            "render",
            partial(make_renderer, job, agreement),
            batch,
            cpus=0.0 if on_gpu else 1.0,
            gpus=1.0 if on_gpu else 0.0,
        ),
    ]
    tasks = [ShardTask(shard.id, shard.slots) for shard in missing]
    try:
        yield from run_shards(tasks, stages, partial(Finisher, job, store, claim), cluster)
    except StageFailed as error:
        if isinstance(error.__cause__, SynthgenError):
            raise error.__cause__ from None
        raise
    except EngineFailed as error:
        raise RunError(f"{error}; run the same command again to go on where it stopped") from error


def make_editor(job: AugmentJob) -> Callable[[list[Any]], list[Any]]:
    """One worker of the edit stage."""
    from pipeline.augment.editing import Editor

    return Editor(job)


def make_renderer(job: AugmentJob, agreement: Agreement | None) -> Callable[[list[Any]], list[Any]]:
    """One worker of the render stage: on the GPU that Ray gave it, else on the CPU."""
    import torch

    from generators.inference import Renderer
    from pipeline.augment.rendering import RenderWorker

    torch.set_num_threads(RENDER_THREADS)
    return RenderWorker(job, Renderer(job.model.load_generator()), agreement)
