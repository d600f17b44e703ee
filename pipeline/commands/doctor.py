"""`synthgen doctor`: what this machine has, and what to do about what it lacks."""

from typing import Annotated

import typer

from pipeline.commands.options import Json
from pipeline.console import Console

Urls = Annotated[list[str] | None, typer.Argument(metavar="[URL]...", help="Folders or URLs whose storage to try.")]


def doctor(urls: Urls = None, json: Json = False) -> None:
    """Look at Python, torch, devices, Ray, memory, disk and storage, and say what to do about each.

    Example: synthgen doctor s3://team/synthetic
    """
    from pipeline.doctor import Health, examine

    findings = list(examine(urls or []))
    lines = []
    for finding in findings:
        lines.append(f"{finding.health.value:5} {finding.what:10} {finding.found}")
        if finding.todo:
            lines.append(f"{'':16} -> {finding.todo}")
    Console(as_json=json).result("\n".join(lines), {"findings": [finding.as_data() for finding in findings]})
    if any(finding.health is Health.FAIL for finding in findings):
        raise typer.Exit(1)
