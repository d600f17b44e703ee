"""`synthgen demo`: the whole road once, through the commands that do the real work."""

import time
from typing import Annotated

import typer

from pipeline.commands.options import Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

QUICK_TRAINING = ("source.scenes=24", "steps=12", "resolution=128x64", "samples_every=12", "checkpoints.every=12")
SAMPLES = 128
QUICK_SAMPLES = 8
PRETRAINED_SAMPLES = 64  # of 512x256: four times the pixels of what the demo trains on two cores


def demo(
    output: Annotated[str, typer.Option(metavar="URL", help="Where model and data set go.")] = "runs",
    quick: Annotated[
        bool, typer.Option("--quick", help="A tiny form, in a minute: shows the road, not the look.")
    ] = False,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Render with the model that ships instead of training one.")
    ] = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Train a generator on a procedural street world, then render night scenes into paired shards.

    Needs no data, no GPU and no account. Run again, it goes on where it stopped.

    Example: synthgen demo --output runs
    """
    from pipeline.commands.augment import augment
    from pipeline.commands.train import train
    from pipeline.configs import shipped_model

    console = Console(quiet=quiet, mode=progress)
    started = time.monotonic()
    # Names of its own for every form: none finds what another, or the recipe by itself, has made.
    form = "_quick" if quick else ""
    model, dataset = f"{output}/streetscapes{form}", f"{output}/demo_night_cars{form}"
    samples = QUICK_SAMPLES if quick else SAMPLES
    if pretrained:
        model, dataset = str(shipped_model("streetscapes")), f"{output}/demo_night_cars_pretrained{form}"
        samples = QUICK_SAMPLES if quick else PRETRAINED_SAMPLES
        steps = "1 of 1"
    else:
        console.note("1 of 2: learning to render streets from label maps (synthgen train)")
        train(output=model, set_=list(QUICK_TRAINING) if quick else None, quiet=quiet, progress=progress)
        steps = "2 of 2"
    console.note(f"{steps}: night streets with more cars, as shards (synthgen augment --recipe night_cars)")
    overrides = [f"model={model}", f"output.root={dataset}", f"samples={samples}", "output.samples_per_shard=32"]
    augment("night_cars", set_=overrides, quiet=quiet, progress=progress)
    console.result(_what_next(model, dataset, time.monotonic() - started, pretrained), {})


def _what_next(model: str, dataset: str, seconds: float, pretrained: bool) -> str:
    judge = "an hour" if pretrained else "some minutes"
    samples = "" if pretrained else f"  (images over training in {model}/samples/)"
    return f"""
Done in {seconds:.0f} s.
  shards         {dataset}/shards/
  contact sheet  {dataset}/preview.jpg
  report         {dataset}/report.html
  model          {model}/{samples}

Try next:
  synthgen inspect {dataset}
  synthgen preview --recipe crowded_sidewalks --set model={model}
  synthgen evaluate model {model} --limit 40    # on two cores {judge}: it trains its judge first"""
