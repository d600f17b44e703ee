"""`synthgen evaluate`: numbers for what is claimed of a model or a data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.evaluate_dataset import dataset
from pipeline.commands.evaluate_downstream import downstream
from pipeline.commands.evaluate_judge import judge
from pipeline.commands.evaluate_side_by_side import compare, study, tally
from pipeline.commands.options import Address, Json, Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

app = typer.Typer(no_args_is_help=True)

Segmenter = Annotated[
    str, typer.Option(metavar="NAME|PATH", help="small, segformer (-b0 to -b5), or a SegFormer checkpoint.")
]
JudgeSteps = Annotated[int, typer.Option(min=1, help="How long the judge is trained on real pairs.")]
JudgeWidth = Annotated[int, typer.Option(min=4, help="Base width of a small judge.")]
Judges = Annotated[str, typer.Option(metavar="URL", help="Where trained judges are kept.")]
Out = Annotated[str | None, typer.Option(metavar="DIR", help="Where numbers and page go; runs/evaluations without it.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the judge and of everything drawn.")]
Inception = Annotated[
    str | None, typer.Option(metavar="FILE|auto", help="Inception weights, for FID as published; auto: fetched.")
]
AlexNet = Annotated[Path | None, typer.Option(metavar="FILE", help="AlexNet weights, for diversity_lpips_alex.")]


app.command()(dataset)
app.command()(downstream)
app.command()(judge)
app.command()(compare)
app.command()(study)
app.command()(tally)


@app.callback()
def _evaluate() -> None:
    """Measure a model or a data set.

    Example: synthgen evaluate model runs/streetscapes
    """


@app.command()
def model(
    url: Annotated[str, typer.Argument(metavar="MODEL", help="A model directory.")],
    split: Annotated[str, typer.Option(help="The held-out split of the training source to render.")] = "val",
    source: Annotated[
        str | None, typer.Option(metavar="FILE|{...}", help="Other pairs to render than those of the training source.")
    ] = None,
    classes: Annotated[str | None, typer.Option(metavar="FILE", help="A mapping where label spaces differ.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many scenes at most, all over the split.")] = 60,
    styles: Annotated[int, typer.Option(min=1, help="Images of each scene; diversity needs two.")] = 2,
    segmenter: Segmenter = "small",
    judge_steps: JudgeSteps = 700,
    judge_width: JudgeWidth = 24,
    judges: Judges = "runs/judges",
    inception: Inception = None,
    alexnet: AlexNet = None,
    seed: Seed = 0,
    out: Out = None,
    address: Address = None,
    json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Does a network trained on real images find the label maps again in rendered ones?

    Trains a segmentation network on the real pairs the model was trained on, renders the label maps of the held-out
    split, and compares what it finds there with what it finds in the real images of the same scenes; and FID, KID,
    diversity, surfaces and outlines.

    Example: synthgen evaluate model runs/streetscapes --limit 40
    """
    from pipeline.evaluation.judge import JudgeSettings, impartial, judge_for
    from pipeline.evaluation.model import evaluate_model
    from pipeline.evaluation.model_page import map_colors, model_page
    from pipeline.evaluation.named_source import in_catalog_of, source_named
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.results import place_for, write_results
    from pipeline.evaluation.scene_measures import Protocol
    from pipeline.evaluation.tables import model_table
    from pipeline.evaluation.training_source import source_of
    from pipeline.model_directory import open_model
    from pipeline.passes import workers
    from pipeline.storage import Store

    console = Console(as_json=json, quiet=quiet, mode=progress)
    opened = open_model(url)
    if source is None:
        scenes = source_of(opened, split)
    else:
        scenes = in_catalog_of(source_named(source), opened.catalog, classes, "the source")
    opened.check_catalog(scenes.catalog)
    asked = JudgeSettings(segmenter=segmenter, steps=judge_steps, width=judge_width, seed=seed)
    settings = impartial(asked, opened.card.training.teachers, console)
    place = place_for(out, "model", opened.name)
    judge = judge_for(source_of(opened), opened.resolution, settings, Store(judges), console)
    protocol = Protocol(limit, styles, seed, inception=inception, alexnet=alexnet)
    with workers(address) as cluster:
        found = evaluate_model(opened, scenes, judge, protocol, console, cluster)
    data: dict[str, Any] = {"name": opened.name, "model": url, "family": opened.card.family, "split": scenes.split}
    colors = map_colors(found, opened.catalog)
    data |= {"resolution": str(opened.resolution), "judge": judge.fingerprint, **found.as_data(), "map_colors": colors}
    page = model_page(opened.name, found, opened.catalog, provenance())
    written = write_results(place, "model", data, page, found.pictures())
    console.result(f"{model_table(found)}\n{written}", data)
