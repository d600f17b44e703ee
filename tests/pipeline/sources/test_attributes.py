"""Attributes come from a table beside the data."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.sources.base import Unpaired
from pipeline.sources.cityscapes import CityscapesConfig

ROWS = "key,time_of_day,rain\naachen_000000_000019,night,\nulm_000002_000019,day,heavy\n"


def opened(root: Path, path: str):
    return CityscapesConfig(root=str(root), attributes=path).open()


def test_a_csv_adds_to_what_the_format_knows(cityscapes):
    (cityscapes / "attributes.csv").write_text(ROWS)
    source = opened(cityscapes, "attributes.csv")
    assert source.attributes("aachen_000000_000019") == {"city": "aachen", "time_of_day": "night"}
    assert source.attributes("ulm_000002_000019") == {"city": "ulm", "time_of_day": "day", "rain": "heavy"}
    assert source.attributes("aachen_000001_000019") == {"city": "aachen"}
    assert source.read_scene("aachen_000000_000019").attributes["time_of_day"] == "night"


def test_parquet_says_the_same(cityscapes, tmp_path):
    (cityscapes / "attributes.csv").write_text(ROWS)
    columns = {
        "key": ["aachen_000000_000019", "ulm_000002_000019"],
        "time_of_day": ["night", "day"],
        "rain": [None, "heavy"],
    }
    pq.write_table(pa.table(columns), tmp_path / "elsewhere.parquet")
    parquet = opened(cityscapes, str(tmp_path / "elsewhere.parquet"))
    text = opened(cityscapes, "attributes.csv")
    assert [parquet.attributes(k) for k in parquet.keys()] == [text.attributes(k) for k in text.keys()]
    assert parquet.fingerprint() == text.fingerprint()


def test_rows_of_no_scene_are_reported(cityscapes):
    (cityscapes / "a.csv").write_text("key,hour\nulm_000002_000019,1\nulm_7,2\n")
    assert list(opened(cityscapes, "a.csv").unpaired()) == [
        Unpaired(f"{cityscapes}/a.csv", "row 'ulm_7' names no scene")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,hour\na,1\n", "expected the columns `key` and one or more attributes; found name, hour"),
        ("", "expected the columns `key` and one or more attributes; found nothing"),
        ("key,hour\na,1,2\n", "line 2 has 3 values; the header names 2"),
        ("key,hour\na,1\na,2\n", "'a' has two rows"),
    ],
)
def test_a_table_with_a_mistake_is_named(cityscapes, text, message):
    (cityscapes / "a.csv").write_text(text)
    with pytest.raises(SourceError) as caught:
        opened(cityscapes, "a.csv")
    assert str(caught.value) == f"{cityscapes}/a.csv: {message}"


def test_a_missing_table_is_named(cityscapes):
    with pytest.raises(SourceError, match=r"/none\.csv: cannot read: no such file, folder or bucket$"):
        opened(cityscapes, "none.csv")


def test_what_is_no_parquet_is_said_to_be_none(cityscapes):
    (cityscapes / "a.parquet").write_text(ROWS)
    with pytest.raises(SourceError, match=r"a\.parquet: not a parquet file: "):
        opened(cityscapes, "a.parquet")
