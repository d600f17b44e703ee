"""Where the result of an evaluation goes: the numbers as JSON, and the page."""

import json
import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.report.page import Page
from pipeline.storage import Store

NUMBERS = "result.json"
PAGE = "index.html"
_EARLIER = "earlier"
_OUR_PICTURE = r"([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+\.(png|jpg)"


def write_results(
    out: str, kind: str, data: dict[str, Any], page: Page, pictures: Mapping[str, bytes] | None = None
) -> str:
    """Put both in place, after the pictures that the numbers name by path; the text says where.

    A result of another command that is there already is kept beside the new one.
    """
    store, pictures = Store(out), pictures or {}
    kept = _keep_earlier(store, page.provenance)
    for path, picture in pictures.items():
        store.write_atomic(path, picture)
    whole = {"kind": kind, **data, "pictures": list(pictures), "provenance": page.provenance}
    store.write_atomic(NUMBERS, (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())
    store.write_atomic(PAGE, page.to_html().encode())
    said = f"look at  {store.place(PAGE)}\nnumbers  {store.place(NUMBERS)}"
    return f"{said}\nearlier  {store.place(kept)}, of another command" if kept else said


def place_for(out: str | None, kind: str, name: str) -> str:
    """Where a result goes, beside the other runs when nobody says; StorageError now where it cannot be written.

    To be asked when the input is known to be sound, before hours are spent on it.
    """
    place = out or str(Path("runs") / "evaluations" / f"{kind}-{name}")
    Store(place).check_writable()
    return place


def _keep_earlier(store: Store, provenance: Mapping[str, Any]) -> str:
    """Where the result that is there was copied with its pictures; empty where none is, or it is this command's."""
    there = [path for path in (PAGE, NUMBERS) if store.exists(path)]
    numbers = store.read(NUMBERS) if NUMBERS in there else b""
    command, pictures = _told(numbers)
    if not there or command == _asked(str(provenance["command"])):
        return ""
    for number in count(1):
        place = f"{_EARLIER}/{number}"
        kept = [path for path in (PAGE, NUMBERS) if store.exists(f"{place}/{path}")]
        if not kept:
            break
        if NUMBERS in kept and store.read(f"{place}/{NUMBERS}") == numbers:
            return place  # a run that kept it and came no further: its pictures may be others by now
    for path in (*pictures, *there):
        if store.exists(path):
            store.write_atomic(f"{place}/{path}", store.read(path))
    return place


def _told(numbers: bytes) -> tuple[str, list[str]]:
    """What was asked for, and the pictures that belong to it, of a file that may be somebody else's."""
    try:
        said = json.loads(numbers)
        command = _asked(str(said["provenance"]["command"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", []
    named = said.get("pictures")
    if not isinstance(named, list):  # from before results named them
        shown = said.get("shown")
        scenes = shown if isinstance(shown, list) else []
        named = [value for scene in scenes if isinstance(scene, dict) for key, value in scene.items() if key != "key"]
        named.append("sheet.jpg")
    return command, [path for path in named if isinstance(path, str) and re.fullmatch(_OUR_PICTURE, path)]


def _asked(command: str) -> str:
    """A command without what only changes how it speaks."""
    return re.sub(r" (--json|-q|--quiet|--progress[ =]\S+)(?= |$)", "", command)
