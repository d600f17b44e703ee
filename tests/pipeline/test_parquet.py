import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.parquet import read_parquet


def _file() -> tuple[pa.Table, bytes]:
    table = pa.table({"key": [f"k{i}" for i in range(1000)], "pixels": list(range(1000))})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=100)
    return table, sink.getvalue()


def test_a_table_is_read_whole_or_by_column() -> None:
    table, data = _file()
    assert read_parquet(data) == table
    assert read_parquet(data, ["key"]) == table.select(["key"])


def test_bytes_that_are_no_parquet_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="Parquet"):
        read_parquet(b"not parquet at all")
