"""`synthgen model`: what a model is, published checkpoints in, other programs' formats out."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import Json, Quiet
from pipeline.console import Console

if TYPE_CHECKING:
    from pipeline.model_directory import OpenModel
    from pipeline.styles.bank import StyleBank

app = typer.Typer(no_args_is_help=True)
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model directory.")]
Size = Annotated[str | None, typer.Option("--resolution", metavar="WxH", help="Another size than the model's own.")]


class Format(StrEnum):
    """What `export` writes; the names that pipeline.model_export knows."""

    ONNX = "onnx"
    TORCH = "torch-export"


@app.callback()
def _model() -> None:
    """Models: what one is, published checkpoints as models, and models for other programs.

    Example: synthgen model show runs/streetscapes
    """


@app.command()
def show(model: Model, quiet: Quiet = False, json: Json = False) -> None:
    """Print family, size, classes, where it comes from, and its style bank.

    Example: synthgen model show runs/streetscapes
    """
    from pipeline.model_directory import STYLES, open_model
    from pipeline.storage import Store

    opened = open_model(model)
    bank = opened.style_bank() if Store(opened.url).exists(STYLES) else None
    facts = _facts(opened, bank)
    Console(json, quiet).result(_text(facts), facts)


@app.command("import")
def import_(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="The generator's file, such as net_G.pth.")],
    family: Annotated[str, typer.Option("--family", help="The family it belongs to, such as pix2pixhd.")],
    output: Annotated[str, typer.Option("--output", metavar="URL", help="The model directory to write.")],
    catalog: Annotated[str, typer.Option("--catalog", help="The classes it was trained on.")] = "cityscapes",
    encoder: Annotated[Path | None, typer.Option("--encoder", metavar="FILE", help="Its encoder's file.")] = None,
    resolution: Annotated[
        str, typer.Option("--resolution", metavar="WxH", help="The size it was trained at.")
    ] = "1024x512",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A hyper-parameter that the file does not tell; repeatable."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn a checkpoint that a family's authors published into a model directory.

    Example: synthgen model import latest_net_G.pth --family spade --resolution 512x256 --output models/spade
    """
    from generators import family_named
    from pipeline.catalogs import load_catalog
    from pipeline.errors import InputError
    from pipeline.published_model import Publication, import_model
    from pipeline.resolution import Resolution

    try:
        row, size = family_named(family), Resolution.parse(resolution)
    except ValueError as error:
        raise InputError(str(error)) from None
    given = Publication(checkpoint, encoder, load_catalog(catalog), size, _settings(set_ or []))
    opened = import_model(row, given, output)
    facts = _facts(opened, None)
    Console(json, quiet).result(_text(facts), facts)


@app.command()
def export(
    model: Model,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.TORCH,
    resolution: Size = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the generator for other programs, for one image of one size, and compare it with the original.

    Example: synthgen model export runs/streetscapes --format torch-export --out streetscapes.pt2
    """
    from pipeline.errors import InputError
    from pipeline.model_directory import open_model
    from pipeline.model_export import ExportFormat, export_model
    from pipeline.resolution import Resolution

    try:
        size = Resolution.parse(resolution) if resolution else None
    except ValueError as error:
        raise InputError(str(error)) from None
    done = export_model(open_model(model), out, ExportFormat(format_.value), size)
    takes = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in done.inputs.items())
    Console(json, quiet).result(
        f"{done.path}: takes {takes}; largest difference to the original {done.largest_difference:.2g}",
        {"file": str(done.path), "inputs": done.inputs, "largest_difference": done.largest_difference},
    )


@app.command("copy")
def copy_(
    model: Model,
    output: Annotated[str, typer.Option("--output", metavar="URL", help="The model directory to write.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Copy a model to hand it on: weights in half precision, style bank, no training state.

    Example: synthgen model copy runs/streetscapes --output s3://team/models/streetscapes
    """
    from pipeline.model_copy import copy_in_half
    from pipeline.model_directory import open_model

    done = copy_in_half(open_model(model), output)
    Console(json, quiet).result(
        f"{done.url}: {done.weight_bytes / 1e6:.1f} MB of weights; largest difference to the original "
        f"{done.largest_difference:.2g}, where pixel values span 2",
        done._asdict(),
    )


def _settings(overrides: list[str]) -> dict[str, Any]:
    from pipeline.errors import InputError
    from pipeline.yaml_file import read_yaml

    found = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        value = read_yaml(text, f"--set {key}")
        if not equals or value.problems:
            raise InputError(f"--set {override}: expected KEY=VALUE, such as upsampling=normal")
        found[key.strip()] = value.data
    return found


def _facts(model: "OpenModel", bank: "StyleBank | None") -> dict[str, Any]:
    import torch

    card = model.card
    with torch.device("meta"):
        generator = model.family.build_generator(model.config, model.label_space)
    return {
        "model": model.url,
        "name": card.name,
        "family": card.family,
        "paper": model.family.paper,
        "parameters": sum(weight.numel() for weight in generator.parameters()),
        "resolution": str(card.resolution),
        "stride": generator.stride,
        "classes": [c.name for c in card.catalog.classes],
        "catalog": card.catalog.name,
        "style": str(generator.style_kind),
        "style_dim": generator.style_dim,
        "clusters": len(bank.clusters) if bank else None,
        "style_images": len(bank.image_keys) if bank else None,
        "style_attributes": {name: list(values) for name, values in bank.attribute_values().items()} if bank else {},
        "style_tags": list(bank.tags) if bank else [],
        "training": card.training.model_dump(mode="json"),
        "fingerprint": card.fingerprint,
        "versions": card.versions,
    }


def _text(facts: dict[str, Any]) -> str:
    training = facts["training"]
    lines = [
        f"{facts['name']}: {facts['family']}, {facts['parameters']:,} parameters, {facts['resolution']} "
        f"(sides in multiples of {facts['stride']})",
        f"  paper: {facts['paper']}",
        f"  {len(facts['classes'])} classes of {facts['catalog']}: {', '.join(facts['classes'])}",
        f"  styles: {_styles(facts)}",
    ]
    known = [f"{name}: {', '.join(values)}" for name, values in facts["style_attributes"].items()]
    known += [f"tags: {', '.join(facts['style_tags'])}"] if facts["style_tags"] else []
    if known:
        lines.append(f"  looks by {'; '.join(known)}")
    if training["pairs"]:
        source = training["source"].get("format", "unknown")
        lines.append(f"  trained on {training['pairs']} pairs of {source}, {training['steps']} steps")
    lines += [f"  note: {note}" for note in training["notes"]]
    return "\n".join([*lines, f"  fingerprint: {facts['fingerprint']}"])


def _styles(facts: dict[str, Any]) -> str:
    kind = f"{facts['style']}, {facts['style_dim']} numbers" if facts["style_dim"] else "none"
    if facts["clusters"] is None:
        return f"{kind}; no bank"
    return f"{kind}; {facts['clusters']} clusters from {facts['style_images']} images"
