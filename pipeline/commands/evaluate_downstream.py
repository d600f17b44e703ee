"""`synthgen evaluate downstream`: does it help?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Json, Quiet, ShowProgress, resolution_of
from pipeline.console import Console, ProgressMode

SourceOption = Annotated[str, typer.Option(metavar="FILE|{...}", help="Real pairs to train on: a YAML with `source:`.")]


class Numbers(StrEnum):
    """What networks learn in."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


def downstream(
    real: SourceOption,
    holdout: Annotated[str, typer.Option(metavar="FILE|{...}", help="Real pairs to measure on, seen by no arm.")],
    synthetic: Annotated[
        str | None, typer.Option(metavar="ROOT|FILE|{...}", help="The synthetic data set: its folder or URL.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="ATTRIBUTE", help="Also measure by this, as time_of_day.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Only these arms; may be repeated.")] = None,
    resolution: Annotated[str, typer.Option(metavar="WxH", help="The size everything is read at.")] = "256x128",
    segmenter: Annotated[str, typer.Option(metavar="NAME", help="small or segformer (-b0 to -b5).")] = "small",
    steps: Annotated[int, typer.Option(min=1, help="Updates of every training.")] = 600,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 8,
    width: Annotated[int, typer.Option(min=4, help="Base width of the small segmenter.")] = 24,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of synthetic or changed pairs where arms mix.")
    ] = 0.5,
    last_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="The share at the end of a training, if it is to change evenly.")
    ] = None,
    precision: Annotated[
        Numbers, typer.Option(help="What to learn in; auto: bfloat16 where this machine multiplies it in hardware.")
    ] = Numbers.AUTO,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every arm; at least 3 for a verdict.")] = 3,
    minutes: Annotated[float | None, typer.Option(min=0, help="Start no further seed after so long.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time, on Ray; they share the GPUs.")] = 1,
    address: Annotated[str | None, typer.Option(metavar="URL", help="A running Ray cluster to train on.")] = None,
    classes: Annotated[str | None, typer.Option(metavar="FILE", help="A mapping where label spaces differ.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the result; without it, that of the data set.")] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Where numbers and page go.")] = None,
    json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """The same network, budget and seeds on real, synthetic and augmented data, measured on held-out real scenes.

    Arms: real, synthetic, real + synthetic, real + copy-paste, real + photometric, real + synthetic + copy-paste.
    Run again, it goes on where it stopped; further seeds are added to those that are there.

    Example: synthgen evaluate downstream --real '{format: streetscapes, scenes: 60}'
    --holdout '{format: streetscapes, split: val, scenes: 60}' --synthetic runs/night_cars --by time_of_day
    """
    from orchestration.cluster import shutdown
    from pipeline.evaluation.arms import ARMS
    from pipeline.evaluation.downstream import Budget, Trial, check_trial, on_workers, run_downstream
    from pipeline.evaluation.downstream_page import NO_NAME, downstream_data, downstream_page, downstream_text
    from pipeline.evaluation.named_source import in_catalog_of, is_data_set, source_named
    from pipeline.evaluation.networks import precision_here
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.results import place_for, write_results
    from pipeline.storage import Store

    console = Console(json, quiet, progress)
    size = resolution_of(resolution)
    pairs = source_named(real)
    held_out = in_catalog_of(source_named(holdout), pairs.catalog, classes, "the held-out source")
    made = None if synthetic is None else source_named(synthetic)
    if made is not None:
        made = in_catalog_of(made, pairs.catalog, classes, "the synthetic data set")
    arms = tuple(arm or (name for name, of in ARMS.items() if made is not None or not of.needs_synthetic))
    name = name or (Path(synthetic.rstrip("/")).name if synthetic and is_data_set(synthetic) else NO_NAME)
    learned_in = precision_here(precision.value)
    budget = Budget(segmenter, steps, batch_size, width, share, last_share, seeds, minutes, learned_in)
    spread = on_workers(workers, address, console) if workers > 1 or address else None
    trial = Trial(pairs, made, held_out, size, by, arms)
    try:
        check_trial(trial, budget)
        place = place_for(out, "downstream", name)
        found = run_downstream(trial, budget, Store(place), console, spread)
    finally:
        shutdown()
    data = downstream_data(found)
    written = write_results(place, "downstream", data, downstream_page(name, found, provenance()))
    console.result(f"{downstream_text(found)}\n{written}", data)
