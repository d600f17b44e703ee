"""`synthgen verify`: is a data set whole, unchanged and readable?"""

from typing import Annotated

import typer

from pipeline.commands.options import Json, Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

Root = Annotated[str, typer.Argument(metavar="ROOT", help="The data set: a folder or URL.")]

Source = Annotated[
    bool, typer.Option("--source", help="Also open the source, and prove that every scene is of the recipe's split.")
]


def verify(
    root: Root,
    source: Source = False,
    progress: ShowProgress = ProgressMode.AUTO,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Read every shard: checksums, markers, pairs, keys and manifest. Exit code 1 names each problem.

    Example: synthgen verify runs/night_cars
    """
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.shards.check import check_shard, check_whole, read_index
    from pipeline.shards.split_guard import recorded_source, split_problems
    from pipeline.storage import Store

    console = Console(json, quiet, progress)
    store = Store(root)
    index = read_index(store)
    checks = []
    with console.progress("verify", len(index.shards), "shards") as shown, ThreadPoolExecutor(2) as threads:
        for check in threads.map(lambda shard: check_shard(store, index, shard), index.shards):
            checks.append(check)
            shown.advance()
    problems = [problem for check in checks for problem in check.problems]
    problems += check_whole(store, index, checks)
    samples = sum(len(check.keys) for check in checks)
    well = f"{root}: {len(checks)} shards, {samples} samples: all as they should be"
    if source:
        config = recorded_source(checks)
        problems += split_problems(config, checks)
        well += f"\nevery scene is of split {config.split} of {config.format}"
    data = {"root": root, "shards": len(checks), "samples": samples, "problems": problems}
    console.result("\n".join(problems) or well, data | ({"split": config.split} if source else {}))
    if problems:
        raise typer.Exit(1)
