"""Where the result of an evaluation goes: the numbers as JSON, and the page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.report.page import Page
from pipeline.storage import Store

NUMBERS = "result.json"
PAGE = "index.html"


def write_results(
    out: str, kind: str, data: dict[str, Any], page: Page, pictures: Mapping[str, bytes] | None = None
) -> str:
    """Put both in place, after the pictures that the numbers name by path; the text says where."""
    store = Store(out)
    for path, picture in (pictures or {}).items():
        store.write_atomic(path, picture)
    whole = {"kind": kind, **data, "provenance": page.provenance}
    store.write_atomic(NUMBERS, (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())
    store.write_atomic(PAGE, page.to_html().encode())
    return f"look at  {store.place(PAGE)}\nnumbers  {store.place(NUMBERS)}"


def default_out(kind: str, name: str) -> str:
    """Where a result goes when nobody says: beside the other runs."""
    return str(Path("runs") / "evaluations" / f"{kind}-{name}")
