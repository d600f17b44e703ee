"""`synthgen status`: how does a run stand?"""

from typing import Annotated

import typer

from pipeline.commands.options import Json
from pipeline.console import Console

Output = Annotated[str, typer.Argument(metavar="OUTPUT", help="The output of an augment run: a folder or URL.")]


def status(output: Output, json: Json = False) -> None:
    """What is committed, who is at work and since when, told from storage alone: also after the run died.

    Example: synthgen status runs/night_cars
    """
    from pipeline.augment.status import read_status
    from pipeline.storage import Store

    found = read_status(Store(output))
    Console(as_json=json).result(found.as_text(), found.as_data())
