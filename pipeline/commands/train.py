"""`synthgen train`: a source of pairs to a model that renders label maps."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import Address, DryRun, Json, Quiet, Set, ShowProgress
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from orchestration.cluster import ClusterInfo
    from pipeline.model_directory import OpenModel
    from pipeline.styles.bank import StyleBank
    from pipeline.training.data import Views
    from pipeline.training.run import TrainingPlan

ConfigOption = Annotated[
    str, typer.Option("--config", metavar="NAME|FILE", help="A training config: a shipped name or a YAML file.")
]
Output = Annotated[
    str | None, typer.Option("--output", metavar="URL", help="The model directory; without it, runs/<name>.")
]
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs to use on this machine; all without it.")]


def train(
    config: ConfigOption = "streetscapes",
    set_: Set = None,
    output: Output = None,
    dry_run: DryRun = False,
    address: Address = None,
    cpus: Cpus = None,
    progress: ShowProgress = ProgressMode.AUTO,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Learn to render label maps from pairs, then the looks to render them in. Run again, it goes on where it stopped.

    Example: synthgen train --config streetscapes --set steps=2000
    """
    from orchestration.cluster import connect, shutdown
    from pipeline.train_config import load_train_config
    from pipeline.training.run import make_plan

    console = Console(json, quiet, progress)
    plan = make_plan(load_train_config(config, set_ or []).value, output)
    if plan.left_out:
        console.warn(_left_out(plan.left_out))
    for said in _of_sizes(plan):
        console.warn(said)
    if dry_run:
        console.result(_plan_text(plan), _plan_data(plan))
        return
    trained: list[int] = []
    try:
        cluster = connect(address, cpus)
        model = _train(plan, console, cluster, trained)
        bank = _fit(plan, model, console, cluster, bool(trained))
    finally:
        shutdown()
    console.result(_summary(plan, model, bank), _data(plan, model, bank))


def _left_out(files: tuple[str, ...]) -> str:
    shown = "".join(f"\n  {file}" for file in files[:3])
    more = f"\n  and {len(files) - 3} more; all of them: synthgen sources check" if len(files) > 3 else ""
    return f"{len(files)} of the source cannot be trained on:{shown}{more}"


def _of_sizes(plan: "TrainingPlan") -> list[str]:
    """What is lost where steps see little of a picture, or all of it in another shape, as where a config is overridden
    in its resolution alone."""
    from pipeline.sources.shape import note_of_cut, note_of_shape, own_sizes, usual_pixels
    from pipeline.training.growth import multiples_of_sides

    own, said = own_sizes(plan.job.source.open()), []
    for stage, multiple in zip(plan.job.stages, multiples_of_sides(plan.job), strict=True):
        views, size = stage.views, stage.views.resolution
        if views.native:
            said.append(note_of_cut(size, usual_pixels(own), "scenes of their own size"))
            continue
        read_at = views.load or size
        said += [note_of_shape(own, read_at, multiple), note_of_cut(size, read_at.pixels, str(read_at))]
    return [note for note in dict.fromkeys(said) if note]


def _train(plan: "TrainingPlan", console: Console, cluster: "ClusterInfo", trained: list[int]) -> "OpenModel":
    """Train; the steps that were reported go into `trained`."""
    from pipeline.training.run import note_of, run_plan

    with console.progress("training", plan.job.steps, "steps") as steps:

        def show(report: Any) -> None:
            if report["event"] == "step":
                trained.append(report["step"])
                steps.set(report["step"], note=note_of(report))
            elif report["event"] == "resumed":
                console.note(f"going on from step {report['step']}")
            elif report["event"] == "note":
                console.note(report["note"])
            elif report["event"] == "stepped_back":
                console.warn(f"{report['reason']}; went back to step {report['step']} and on with other pairs")

        return run_plan(plan, cluster, show)


def _fit(
    plan: "TrainingPlan", model: "OpenModel", console: Console, cluster: "ClusterInfo", trained: bool
) -> "StyleBank":
    from pipeline.model_directory import STYLES, ModelDirectory
    from pipeline.styles.of_model import fit_styles

    # New weights take the old looks with them: looks that are there belong to these weights, and may carry tags.
    if ModelDirectory(plan.job.output).store.exists(STYLES):
        if not trained:
            console.note(
                f"all {plan.job.steps} steps were trained before; weights, looks and tags stay as they are. For more "
                f"training raise steps; for new looks: synthgen styles fit {model.url}"
            )
        return model.style_bank()
    source = plan.job.source.open()
    with console.progress("styles", None, "images") as images:
        bank = fit_styles(
            model,
            source,
            plan.config.styles,
            lambda done, total: images.set(done, total),
            None if cluster.embedded else cluster,  # this machine alone does it sooner without starting workers
        )
    ModelDirectory(plan.job.output).write_styles(bank)
    return bank


def _plan_data(plan: "TrainingPlan") -> dict[str, Any]:
    from pipeline.train_config import described

    return {
        "output": plan.job.output,
        "pairs": plan.pairs,
        "steps": plan.job.steps,
        "passes": round(plan.passes, 2),
        "workers": plan.workers,
        "config": described(plan.config),
    }


def _plan_text(plan: "TrainingPlan") -> str:
    job = plan.job
    times = f"{plan.passes:,.0f}" if plan.passes >= 10 else f"{plan.passes:.2g}"
    workers = "1 worker" if plan.workers == 1 else f"{plan.workers} workers"
    return "\n".join(
        [
            f"would train {job.family} at {job.views.resolution}{_cut(job.views)} on {plan.pairs} pairs of "
            f"{job.source.format}",
            *(f"  taught by the judge {judge}" for judge in job.teachers),
            f"  {job.steps} steps, {times} times through the source, on {workers}",
            f"  into {job.output}",
        ]
    )


def _cut(views: "Views") -> str:
    if views.native:
        return ", cut at random out of images of their own size,"
    return f", cut at random out of {views.load}," if views.load not in (None, views.resolution) else ""


def _data(plan: "TrainingPlan", model: "OpenModel", bank: "StyleBank") -> dict[str, Any]:
    training = model.card.training
    return {
        "model": model.url,
        "fingerprint": model.fingerprint,
        "steps": training.steps,
        "losses": training.losses,
        "notes": list(training.notes),
        "clusters": len(bank.clusters),
        "images": len(bank.image_keys),
    }


def _summary(plan: "TrainingPlan", model: "OpenModel", bank: "StyleBank") -> str:
    from pipeline.model_directory import SAMPLES
    from pipeline.training.keeper import REPORT

    losses = ", ".join(f"{name.split('/')[-1]} {value:.3f}" for name, value in model.card.training.losses.items())
    return "\n".join(
        [
            f"model: {model.url}",
            f"  {model.card.family}, {model.resolution}, {model.card.training.steps} steps; {losses}",
            f"  {bank.said()}",
            *(f"  note: {note}" for note in model.card.training.notes),
            *([f"  {_best_text(model)}"] if model.card.training.patch_distance is not None else []),
            f"  how it went: {model.url}/{REPORT}; pictures: {model.url}/{SAMPLES}",
        ]
    )


def _best_text(model: "OpenModel") -> str:
    from pipeline.model_directory import open_model
    from pipeline.training.keeper import BEST

    distance = model.card.training.patch_distance
    best = open_model(f"{model.url}/{BEST}")
    nearest = best.card.training
    if nearest.steps == model.card.training.steps:
        return f"patch distance to photographs {distance:.3f}, the least of this training"
    return (
        f"patch distance to photographs {distance:.3f}; the least was {nearest.patch_distance:.3f} at step "
        f"{nearest.steps}: {best.url}"
    )
