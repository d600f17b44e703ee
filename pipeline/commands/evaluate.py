"""`synthgen evaluate`: numbers for what is claimed of a model or a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.evaluate_dataset import dataset
from pipeline.commands.evaluate_downstream import downstream
from pipeline.commands.evaluate_side_by_side import compare, study, tally
from pipeline.commands.options import Json, Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from pipeline.evaluation.judge import JudgeSettings

app = typer.Typer(no_args_is_help=True)

Segmenter = Annotated[
    str, typer.Option(metavar="NAME|PATH", help="small, segformer (-b0 to -b5), or a SegFormer checkpoint.")
]
JudgeSteps = Annotated[int, typer.Option(min=1, help="How long the judge is trained on real pairs.")]
Judges = Annotated[str, typer.Option(metavar="URL", help="Where trained judges are kept.")]
Out = Annotated[str | None, typer.Option(metavar="DIR", help="Where numbers and page go; runs/evaluations without it.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the judge and of everything drawn.")]
Inception = Annotated[Path | None, typer.Option(metavar="FILE", help="Inception weights, for fid_inception.")]


app.command()(dataset)
app.command()(downstream)
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
    limit: Annotated[int, typer.Option(min=1, help="How many scenes at most.")] = 60,
    styles: Annotated[int, typer.Option(min=1, help="Images of each scene; diversity needs two.")] = 2,
    segmenter: Segmenter = "small",
    judge_steps: JudgeSteps = 700,
    judges: Judges = "runs/judges",
    inception: Inception = None,
    seed: Seed = 0,
    out: Out = None,
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
    from pipeline.evaluation.judge import judge_for
    from pipeline.evaluation.model import Protocol, evaluate_model
    from pipeline.evaluation.model_page import model_page
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.results import default_out, write_results
    from pipeline.evaluation.tables import model_table
    from pipeline.evaluation.training_source import source_of
    from pipeline.model_directory import open_model
    from pipeline.storage import Store

    console = Console(as_json=json, quiet=quiet, mode=progress)
    opened = open_model(url)
    source = source_of(opened, split)
    judge = judge_for(
        source_of(opened), opened.resolution, _settings(segmenter, judge_steps, seed), Store(judges), console
    )
    found = evaluate_model(opened, source, judge, Protocol(limit, styles, seed, inception=inception), console)
    data = {"name": opened.name, "model": url, "family": opened.card.family, "split": split, **found.as_data()}
    page = model_page(opened.name, found, opened.catalog, provenance())
    written = write_results(out or default_out("model", opened.name), "model", data, page)
    console.result(f"{model_table(found)}\n{written}", data)


def _settings(segmenter: str, steps: int, seed: int) -> "JudgeSettings":
    from pipeline.evaluation.judge import JudgeSettings

    return JudgeSettings(segmenter=segmenter, steps=steps, seed=seed)
