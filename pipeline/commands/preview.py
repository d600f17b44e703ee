"""`synthgen preview`: what a recipe does to label maps, in seconds."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Json, Quiet, Set, ShowProgress
from pipeline.console import Console, ProgressMode

Recipe = Annotated[str, typer.Option("--recipe", metavar="NAME|FILE", help="A recipe: a shipped name or a YAML file.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The picture; a page is written beside it.")]


def preview(
    recipe: Recipe,
    samples: Annotated[int, typer.Option(min=1, max=200, help="How many samples to show.")] = 12,
    set_: Set = None,
    maps_only: Annotated[bool, typer.Option("--maps-only", help="No images, also where there is a model.")] = False,
    out: Out = Path("preview.png"),
    json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Show the first samples of a recipe: source map, edited map with every change outlined, and image.

    Without a model it shows the maps only. Nothing is written but the picture and a page beside it.

    Example: synthgen preview --recipe night_cars --samples 12
    """
    from pipeline.preview_run import check_out, make_preview, page_beside, write_preview
    from pipeline.recipe import load_recipe

    console = Console(json, quiet, progress)
    loaded = load_recipe(recipe, set_ or ())
    check_out(out)
    made = make_preview(loaded, samples, maps_only, console)
    write_preview(loaded, made, out, set_ or ())
    name, count, page = loaded.value.name, len(made.rows), page_beside(out)
    console.result(
        f"{count} samples of {name}\nlook at  {out}\nor at    {page}",
        {"recipe": name, "samples": count, "picture": str(out), "page": str(page), "note": made.note},
    )
