"""`synthgen evaluate`: numbers for what is claimed of a model."""

from typing import Annotated

import typer

from pipeline.commands.options import Json, Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

app = typer.Typer(help="Measure a model.", no_args_is_help=True)


@app.callback()
def _evaluate() -> None:
    """Measure a model.

    Example: synthgen evaluate model runs/streetscapes
    """


@app.command()
def model(
    url: Annotated[str, typer.Argument(metavar="MODEL", help="A model directory.")],
    split: Annotated[str, typer.Option(help="The held-out split of the training source to render.")] = "val",
    limit: Annotated[int, typer.Option(min=1, help="How many scenes at most.")] = 60,
    segmenter: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="small, segformer (-b0 to -b5), or a SegFormer checkpoint.")
    ] = "small",
    judge_steps: Annotated[int, typer.Option(min=1, help="How long the judge is trained on real pairs.")] = 700,
    judges: Annotated[str, typer.Option(metavar="URL", help="Where trained judges are kept.")] = "runs/judges",
    seed: Annotated[int, typer.Option(min=0, help="Of the judge and the styles drawn.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Does a network trained on real images find the label maps again in rendered ones?

    Trains a small segmentation network on the real pairs the model was trained on, renders the label maps of the
    held-out split, and compares its mean IoU there with that on the real images of the same scenes.

    Example: synthgen evaluate model runs/streetscapes --limit 40
    """
    from pipeline.evaluation.faithfulness import measure_faithfulness
    from pipeline.evaluation.judge import JudgeSettings, judge_for
    from pipeline.evaluation.tables import faithfulness_table
    from pipeline.evaluation.training_source import source_of
    from pipeline.model_directory import open_model
    from pipeline.storage import Store

    console = Console(as_json=as_json, quiet=quiet, mode=progress)
    opened = open_model(url)
    settings = JudgeSettings(segmenter=segmenter, steps=judge_steps, seed=seed)
    judge = judge_for(source_of(opened), opened.resolution, settings, Store(judges), console)
    found = measure_faithfulness(opened, source_of(opened, split), judge, (), limit, seed, console)
    console.result(
        faithfulness_table(found),
        {
            "model": url,
            "scenes": found.num_scenes,
            "share_of_real": found.share,
            "rendered": found.rendered.as_data(),
            "real": found.real.as_data(),
        },
    )
