"""`synthgen repair`: take away what no longer holds, so that the same augment makes it again."""

from typing import Annotated

import typer

from pipeline.commands.options import DryRun, Json
from pipeline.console import Console

Output = Annotated[str, typer.Argument(metavar="OUTPUT", help="The output of an augment run: a folder or URL.")]


def repair(output: Output, dry_run: DryRun = False, json: Json = False) -> None:
    """Remove leftovers, unmarked shards, and shards whose bytes are not those committed; augment then remakes them.

    Example: synthgen repair runs/night_cars --dry-run
    """
    from pipeline.augment import repair as repairs
    from pipeline.storage import Store

    store = Store(output)
    found = repairs.repair(store, dry_run)
    Console(as_json=json).result(found.as_text(store, dry_run), found.as_data(store, dry_run))
