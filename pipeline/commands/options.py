"""Options that several commands share, so that each is spelt and explained the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import ProgressMode

if TYPE_CHECKING:
    from pipeline.resolution import Resolution

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace one value, such as output.root=out; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
ShowProgress = Annotated[ProgressMode, typer.Option("--progress", help="How progress is shown, on stderr.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Address = Annotated[
    str | None, typer.Option("--address", metavar="URL", help="A running Ray cluster; without it, this machine.")
]
OutputFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write the picture.")]


def resolution_of(option: str) -> "Resolution":
    """The value of --resolution; InputError says what is wrong with it."""
    from pipeline.errors import InputError
    from pipeline.resolution import Resolution

    try:
        return Resolution.parse(option)
    except ValueError as error:
        raise InputError(f"--resolution: {error}") from None
