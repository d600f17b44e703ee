"""Where the result of an evaluation goes: the numbers as JSON, and the page."""

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.report.page import Page
from pipeline.storage import Store

NUMBERS = "result.json"
PAGE = "index.html"
_EARLIER = "earlier"


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


def default_out(kind: str, name: str) -> str:
    """Where a result goes when nobody says: beside the other runs."""
    return str(Path("runs") / "evaluations" / f"{kind}-{name}")


def _keep_earlier(store: Store, provenance: Mapping[str, Any]) -> str:
    """The page of the result that is there, copied with all it needs; empty where none is, or it is this command's."""
    if not store.exists(NUMBERS):
        return ""
    try:
        earlier = json.loads(store.read(NUMBERS))
        if earlier["provenance"]["command"] == provenance["command"]:
            return ""
        pictures = list(earlier.get("pictures", ()))
    except (ValueError, TypeError, KeyError):
        pictures = []  # not one of ours, and kept all the same
    number = next(number for number in count(1) if not store.exists(f"{_EARLIER}/{number}/{NUMBERS}"))
    for path in (*pictures, PAGE, NUMBERS):
        if store.exists(path):
            store.write_atomic(f"{_EARLIER}/{number}/{path}", store.read(path))
    return f"{_EARLIER}/{number}/{PAGE}"
