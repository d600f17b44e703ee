"""What docs/sources.md shows is what the code takes."""

import json
import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from label_editing.catalog import Catalog
from pipeline.sources import SOURCES, AnySource
from pipeline.sources.instances import ENCODINGS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "sources.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.startswith("source:")])
def test_every_source_shown_parses(block):
    TypeAdapter(AnySource).validate_json(json.dumps(yaml.safe_load(block)["source"]), strict=True)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.startswith("name:")])
def test_every_catalog_shown_is_one(block):
    assert Catalog.model_validate(yaml.safe_load(block)).named("robot").support == ("floor",)


def test_every_format_and_encoding_is_explained():
    assert re.findall(r"^\*\*(\w+)\*\*", PAGE, re.MULTILINE) == [
        *(name for name in SOURCES if name not in ("folder", "webdataset")),
        "webdataset",
        "folder",
    ]
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(ENCODINGS)
