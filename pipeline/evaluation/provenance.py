"""How a result came about: command, commit, versions, device, date."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def provenance() -> dict[str, Any]:
    """What a result file says of the run that made it."""
    return {
        "command": shlex.join(["synthgen", *sys.argv[1:]]),
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "device": device_name(),
        "versions": {name: version(name) for name in ("synthgen", "torch", "torchmetrics")},
    }


def device_name() -> str:
    """The GPU where torch sees one, else the processor."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _commit() -> str:
    """The commit of the checkout this runs from; an installed package says its version instead.

    SYNTHGEN_COMMIT tells where there is no repository to ask, as in a copy of a checkout; it may be left over from
    another one, so it is never asked first.
    """
    try:
        said = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("SYNTHGEN_COMMIT") or f"release {version('synthgen')}"
    return said.stdout.strip()
