"""A run: own the output, make the shards that are missing, then write what needs all of them."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

from orchestration.cluster import ClusterInfo, asking_for
from orchestration.flight import Flight
from orchestration.shard_engine import Limits, ShardTask, Stage, run_shards
from pipeline.augment.failures import FailureLimit
from pipeline.augment.finalise import finalise
from pipeline.augment.finishing import COMMIT, Finisher, ShardReport
from pipeline.augment.gate import keep_real_agreement
from pipeline.augment.job import AugmentJob
from pipeline.augment.lease import Claim, hold_lease
from pipeline.augment.metrics import RunMetrics
from pipeline.augment.rows import Judging, Outcome
from pipeline.augment.usual import knowing_the_usual
from pipeline.augment.watch import Tally, Watch
from pipeline.augment.workers import DERIVED, EDIT, RENDER, Wish, check_room, device_of, stages_of
from pipeline.console import Progress
from pipeline.engine_failures import in_words
from pipeline.errors import RunError
from pipeline.instance_banks import edit_context
from pipeline.plan import Shard
from pipeline.plan_record import PlanRecord, settle_plan
from pipeline.shards import layout
from pipeline.shards.commit import committed_shards, read_markers
from pipeline.storage import Store


def no_judge() -> Judging | None:
    """A run without a quality gate."""
    return None


def run_augment(
    job: AugmentJob,
    record: PlanRecord,
    store: Store,
    connect: Callable[[], ClusterInfo],
    progress: Progress,
    recipe_text: str,
    make_judging: Callable[[], Judging | None] = no_judge,
    wish: Wish = DERIVED,
    tell: Callable[[str], None] = lambda text: None,
) -> Tally:
    """Make the data set, or what is missing of it. Run again after any interruption it goes on where it stopped.

    Ray is started, by `connect`, and a judge is trained, by `make_judging`, only when there is work for them.
    """
    started = time.monotonic()
    wish.check()
    check_output(store)
    with hold_lease(store) as claim:
        store.check_writable()
        clear_leftovers(store)
        settle_plan(store, record)
        tally, missing = _take_stock(job, store)
        progress.set(tally.samples, job.plan.num_samples, tally.note)
        _check_failures(job, tally, [])
        if missing:
            cluster = connect()
            for advice in check_room(job, cluster, wish):
                tell(advice)
            ready = with_context(job, store, cluster)
            judging = make_judging()
            keep_real_agreement(judging, ready, store)
            if job.recipe.quality.max_surprise is not None:
                progress.set(tally.samples, job.plan.num_samples, "some samples are judged first")
            judging = knowing_the_usual(judging, ready, store, cluster)
            stages = stages_of(ready, cluster, judging, wish)
            tally.devices = {EDIT: "CPU", RENDER: device_of(stages), COMMIT: "CPU"}
            reports = partial(_reports, stages, cluster, _limits(job, tally, wish))
            _make_shards(job, store, claim, reports, missing, tally, progress)
        if missing or not store.exists(layout.DATASET):
            claim.check()
            _check_made(job, tally)
            clear_leftovers(store)  # of workers that were killed in this run
            finalise(job, store, dict(tally.seconds), time.monotonic() - started, recipe_text, tell)
    return tally


def check_output(store: Store) -> None:
    """Refuse an output that holds something else."""
    if not store.exists(layout.PLAN):
        strangers = [f.path for f in store.list() if not f.path.startswith(f"{layout.STATE}/")]
        if strangers:
            raise RunError(
                f"{store.url}: holds files that are no data set of synthgen ({strangers[0]}); give another output.root"
            )


def clear_leftovers(store: Store) -> None:
    """Remove what writers that were killed left half done. Whoever owns the output knows that nobody else writes."""
    for file in store.leftovers():
        store.delete(file.path)


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


Reports = Callable[[list[Shard], Callable[[], Any], Callable[[Flight], None]], Generator[ShardReport, None, None]]


def _make_shards(
    job: AugmentJob,
    store: Store,
    claim: Claim,
    reports_of: Reports,
    missing: list[Shard],
    tally: Tally,
    progress: Progress,
) -> None:
    examples: list[dict[str, Any]] = []
    watch, metrics = Watch(tally, job.plan.num_samples, job.plan.num_shards, progress), RunMetrics(job.recipe.name)

    def seen(flight: Flight) -> None:
        watch.seen(flight)
        metrics.seen(flight)

    with closing(reports_of(missing, partial(Finisher, job, store, claim), seen)) as reports:
        for report in reports:
            watch.reported(report)
            metrics.reported(report)
            examples += [reject.as_data() for reject in report.failures]
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


def _limits(job: AugmentJob, tally: Tally, wish: Wish) -> Limits:
    """A sample that kills its worker is a failure: as many are borne as may still fail."""
    most = FailureLimit.of(job.recipe.on_error, job.plan.num_samples).most
    return Limits(wish.max_in_flight, max(0, most - tally.outcomes[Outcome.FAILED]))


def _reports(
    stages: list[Stage],
    cluster: ClusterInfo,
    limits: Limits,
    missing: list[Shard],
    make_finish: Callable[[], Any],
    watch: Callable[[Flight], None],
) -> Generator[ShardReport, None, None]:
    tasks = [ShardTask(shard.id, shard.slots) for shard in missing]
    again = "run the same command again to go on where it stopped"
    with in_words(again), asking_for(stages, cluster, len(tasks)) as ask_for_less:

        def seen(flight: Flight) -> None:
            ask_for_less(flight.in_flight + flight.waiting)
            watch(flight)

        yield from run_shards(tasks, stages, make_finish, cluster, limits, ordered=False, watch=seen)
