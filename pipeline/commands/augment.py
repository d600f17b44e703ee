"""`synthgen augment`: a recipe to a data set."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pipeline.commands.options import Address, DryRun, Json, Quiet, Set, ShowProgress
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from orchestration.cluster import ClusterInfo
    from pipeline.augment.job import AugmentJob
    from pipeline.augment.watch import Tally
    from pipeline.augment.workers import Wish
    from pipeline.plan_record import PlanRecord
    from pipeline.storage import Store

Recipe = Annotated[str, typer.Option("--recipe", metavar="NAME|FILE", help="A recipe: a shipped name or a YAML file.")]
GpusPerActor = Annotated[
    float | None,
    typer.Option("--gpus-per-actor", min=0, help="GPUs a render worker holds: 0.5 puts two on one, 0 renders on CPUs."),
]
CpuWorkers = Annotated[
    int | None, typer.Option("--cpu-workers", min=1, help="Workers that edit; as many as CPUs are left without it.")
]
MaxInFlight = Annotated[
    int | None,
    typer.Option("--max-in-flight", min=1, help="Shards under way at once; as many as keep all busy without it."),
]
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs to use on this machine; all without it.")]


def augment(
    recipe: Recipe,
    set_: Set = None,
    dry_run: DryRun = False,
    address: Address = None,
    cpus: Cpus = None,
    gpus_per_actor: GpusPerActor = None,
    cpu_workers: CpuWorkers = None,
    max_in_flight: MaxInFlight = None,
    progress: ShowProgress = ProgressMode.AUTO,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Edit label maps, render them, and write paired shards. Run again, it finishes what is missing.

    Example: synthgen augment --recipe night_cars --set samples=200
    """
    from pipeline.augment.prepare import prepare
    from pipeline.augment.run import check_output
    from pipeline.augment.workers import Wish
    from pipeline.config_overrides import as_run
    from pipeline.plan_record import check_plan
    from pipeline.recipe import load_recipe
    from pipeline.sources.shape import alike, note_of_shape, own_sizes
    from pipeline.storage import Store

    console = Console(json, quiet, progress)
    wish = Wish(gpus_per_actor, cpu_workers, max_in_flight)
    wish.check()
    loaded = load_recipe(recipe, set_ or ())
    job, record = prepare(loaded)
    store = Store(loaded.value.output.root)
    learned_so = alike(job.resolution, job.model.resolution)
    if not learned_so and (said := note_of_shape(own_sizes(job.source), job.resolution)):
        console.warn(said)
    if dry_run:
        check_output(store)
        check_plan(store, record)
        _show_plan(console, job, store)
        return
    tally = _run(console, job, record, store, as_run(loaded.text, set_ or []), _Place(address, cpus, wish))
    console.result(_summary(tally, store), _data(tally, store))


class _Place(NamedTuple):
    """Where a run works, and with how many workers."""

    address: str | None
    cpus: int | None
    wish: "Wish"


def _run(
    console: Console, job: "AugmentJob", record: "PlanRecord", store: "Store", recipe_text: str, place: _Place
) -> "Tally":
    from orchestration.cluster import shutdown
    from pipeline.augment.gate import judging_for
    from pipeline.augment.run import run_augment

    def connected() -> "ClusterInfo":
        from orchestration.cluster import connect, wait_for_workers

        cluster = connect(place.address, place.cpus)
        return wait_for_workers(cluster, place.wish.gpus_per_actor or 0.0, console.note)

    try:
        with console.progress("augment", job.plan.num_samples, "samples") as shown:
            return run_augment(
                job,
                record,
                store,
                connected,
                shown,
                recipe_text,
                lambda: judging_for(job, console.beside_a_bar()),
                place.wish,
                console.warn,
            )
    finally:
        shutdown()


def _show_plan(console: Console, job: "AugmentJob", store: "Store") -> None:
    from dataclasses import replace

    from pipeline.augment.dry_run import dry_run
    from pipeline.augment.statistics import never_applied
    from pipeline.instance_banks import kept_context
    from pipeline.shards import layout
    from pipeline.storage import Store

    kept = Store(store.place(layout.STATE))
    context = kept_context(job.recipe.edits, job.source, kept, job.resolution)
    drawn = dry_run(replace(job, context=context), store)
    for warning in never_applied(drawn.edits):
        console.warn(warning)
    console.result(drawn.as_text(), drawn.as_data())


def _summary(tally: "Tally", store: "Store") -> str:
    from pipeline.shards import layout

    made = tally.samples - tally.resumed_samples
    lines = [f"{tally.samples} samples in {tally.shards} shards at {store.url}"]
    if tally.resumed_samples:
        lines.append(f"{tally.resumed_samples} of them were there before, {made} made now")
    if tally.time_shares:
        lines.append(f"the workers' time: {tally.time_shares}")
        busy = ", ".join(f"{stage} {share:.0%}" for stage, share in tally.busy_shares.items())
        lines.append(f"workers busy while they were there: {busy}")
    if tally.lost_workers:
        put_aside = f", {tally.quarantined} samples that killed them put aside" if tally.quarantined else ""
        lines.append(f"{tally.lost_workers} workers were lost and replaced{put_aside}")
    for outcome, count in sorted(tally.outcomes.items()):
        lines.append(f"{count} samples {outcome}: see {store.place(layout.REJECTS)}")
    lines += [f"look at  {store.place(layout.PREVIEW)}", f"report   {store.place(layout.REPORT)}"]
    lines.append(f"check it with: synthgen verify {store.url}")
    return "\n".join(lines)


def _data(tally: "Tally", store: "Store") -> dict[str, Any]:
    return {
        "root": store.url,
        "samples": tally.samples,
        "shards": tally.shards,
        "bytes": tally.size,
        "samples_made_now": tally.samples - tally.resumed_samples,
        "outcomes": dict(tally.outcomes),
        "busy_seconds": {stage: round(seconds, 3) for stage, seconds in tally.seconds.items()},
        "busy_shares": {stage: round(share, 3) for stage, share in tally.busy_shares.items()},
        "devices": tally.devices,
        "lost_workers": tally.lost_workers,
        "quarantined": tally.quarantined,
    }
