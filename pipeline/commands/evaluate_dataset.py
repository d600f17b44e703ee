"""`synthgen evaluate dataset`: is a data set like the real one?"""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Address, Json, Quiet, ShowProgress, resolution_of
from pipeline.console import Console, ProgressMode


def dataset(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="The data set: its folder or URL.")],
    real: Annotated[
        str, typer.Option(metavar="FILE|{...}", help="Real pairs: a YAML file with `source:`, or the block.")
    ],
    by: Annotated[
        str | None, typer.Option(metavar="ATTRIBUTE", help="Also beside the real ones of each value.")
    ] = None,
    limit: Annotated[int, typer.Option(min=2, help="How many images of each at most.")] = 500,
    resolution: Annotated[str, typer.Option(metavar="WxH", help="The size both are read at.")] = "256x128",
    segmenter: Annotated[str, typer.Option(metavar="NAME|PATH", help="As in `evaluate model`.")] = "small",
    judge_steps: Annotated[int, typer.Option(min=1, help="How long the judge is trained on real pairs.")] = 700,
    judge_width: Annotated[int, typer.Option(min=4, help="Base width of a small judge.")] = 24,
    judges: Annotated[str, typer.Option(metavar="URL", help="Where trained judges are kept.")] = "runs/judges",
    inception: Annotated[
        str | None, typer.Option(metavar="FILE|auto", help="Inception weights, for FID as published; auto: fetched.")
    ] = None,
    classes: Annotated[str | None, typer.Option(metavar="FILE", help="A mapping where label spaces differ.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the judge.")] = 0,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Where numbers and page go.")] = None,
    address: Address = None,
    json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Classes, objects, FID and KID, agreement, near-duplicates, rejects, worst and best, beside real pairs.

    Example: synthgen evaluate dataset runs/night_cars --real '{format: streetscapes, scenes: 200}'
    """
    from dataclasses import replace

    from pipeline.errors import InputError
    from pipeline.evaluation.dataset import count_rejects, evaluate_dataset, teachers_of
    from pipeline.evaluation.dataset_page import dataset_page, dataset_text
    from pipeline.evaluation.judge import JudgeSettings, impartial, judge_for
    from pipeline.evaluation.named_source import in_catalog_of, is_data_set, source_named
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.published_features import open_inception
    from pipeline.evaluation.results import place_for, write_results
    from pipeline.passes import workers
    from pipeline.storage import Store

    console = Console(json, quiet, progress)
    if not is_data_set(root):
        raise InputError(f"{root}: no finished data set (no dataset.json); finish it with the same synthgen augment")
    size = resolution_of(resolution)
    pairs = source_named(real)
    made = in_catalog_of(source_named(root), pairs.catalog, classes, "the data set")
    asked = JudgeSettings(segmenter=segmenter, steps=judge_steps, width=judge_width, seed=seed)
    settings = impartial(asked, teachers_of(Store(root)), console)
    name = Path(root.rstrip("/")).name
    place = place_for(out, "dataset", name)
    judge = judge_for(pairs, size, settings, Store(judges), console)
    published = open_inception(inception)
    with workers(address) as cluster:
        found = evaluate_dataset(made, pairs, judge, limit, console, published, by, cluster)
    found = replace(found, rejects=count_rejects(Store(root)))
    data = {"name": name, "root": root, "resolution": str(size), "judge": judge.fingerprint, **found.as_data()}
    written = write_results(place, "dataset", data, dataset_page(name, found, made, judge, provenance()))
    console.result(f"{dataset_text(found)}\n{written}", data)
