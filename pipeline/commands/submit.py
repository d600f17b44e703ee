"""`synthgen submit`: the same command, as a job of a running cluster."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Json
from pipeline.console import Console


class Action(StrEnum):
    """What to do about the job of a command."""

    RUN = "run"
    STATUS = "status"
    STOP = "stop"


Arguments = Annotated[
    list[str], typer.Argument(metavar="-- COMMAND ...", help="A synthgen command as it would be typed without submit.")
]
Server = Annotated[
    str,
    typer.Option("--address", metavar="URL", help="The job server of the cluster.", envvar="RAY_API_SERVER_ADDRESS"),
]
Folder = Annotated[
    Path | None, typer.Option("--working-dir", metavar="DIR", help="A folder to send along: recipes and configs.")
]
Do = Annotated[Action, typer.Option("--action", help="Run it, tell how it stands, or stop it.")]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Show its log until it ends.")]


def submit(
    arguments: Arguments,
    address: Server = "http://127.0.0.1:8265",
    working_dir: Folder = None,
    action: Do = Action.RUN,
    follow: Follow = True,
    json: Json = False,
) -> None:
    """Run a command on a cluster. Submitted again it is followed while it runs, and goes on where it stopped after.

    Example: synthgen submit --working-dir recipes -- augment --recipe night_cars.yaml
    """
    from orchestration import jobs
    from pipeline.errors import RunError

    command, console = on_cluster(arguments), Console(json)
    try:
        client = jobs.connect_jobs(address)
        if action is Action.RUN:
            job, is_new = jobs.submit(client, command, str(working_dir) if working_dir else None)
            console.note(f"{job}: {'submitted' if is_new else 'is at work already'}")
            status = jobs.follow(client, job, lambda text: console.note(text.rstrip("\n"))) if follow else "PENDING"
        else:
            job, status = _found(client, command, action)
    except jobs.refusals() as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        token = "; RAY_AUTH_TOKEN has to hold the cluster's token" if "uthentication" in said else ""
        raise RunError(f"{address}: {said}{token}") from error
    console.result(f"{job}: {status.lower()}", {"job": job, "status": status})
    if action is Action.RUN and follow and status != jobs.SUCCEEDED:
        raise typer.Exit(1)


def on_cluster(arguments: list[str]) -> list[str]:
    """The command as the head of the cluster runs it."""
    takes_address = arguments[0] in ("augment", "train") and "--address" not in arguments
    return ["synthgen", *arguments, *(["--address", "auto"] if takes_address else [])]


def _found(client: object, command: list[str], action: Action) -> tuple[str, str]:
    from typing import cast

    from orchestration import jobs
    from pipeline.errors import InputError

    known = cast(jobs.JobClient, client)
    number, status = jobs.latest_attempt(known, jobs.job_name(command))
    if status is None:
        raise InputError("this command was never submitted there")
    job = jobs.attempt_id(jobs.job_name(command), number)
    if action is Action.STOP:
        status = jobs.stop(known, job)
    return job, status
