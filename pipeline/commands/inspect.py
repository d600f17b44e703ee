"""`synthgen inspect`: what is in a data set."""

from typing import Annotated

import typer

from pipeline.commands.options import Json
from pipeline.console import Console

Root = Annotated[str, typer.Argument(metavar="ROOT", help="The data set: a folder or URL.")]


def inspect(root: Root, json: Json = False) -> None:
    """Counts, classes, edits and examples of a data set, from what it says of itself.

    Example: synthgen inspect runs/night_cars
    """
    from pipeline.shards.describe import describe
    from pipeline.storage import Store

    found = describe(Store(root))
    Console(json).result(found.as_text(), found.data)
