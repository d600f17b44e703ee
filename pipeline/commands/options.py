"""Options that several commands share, so that each is spelt and explained the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import ProgressMode

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
