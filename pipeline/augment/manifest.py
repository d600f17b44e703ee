"""manifest.parquet: a row a sample. Each shard's rows are kept beside its marker until the data set is complete."""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from label_editing.catalog import Catalog
from pipeline.parquet import read_parquet
from pipeline.shards import layout
from pipeline.shards.sample import SampleRecord
from pipeline.storage import Store


class Manifest:
    """The table of a catalog: pixels and instances are structs with a field a class.

    Parquet has no struct without fields: where no class has instances, there is no such column.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._things = [c.name for c in catalog.classes if c.thing]
        self._classes = list(catalog.names)
        columns: list[tuple[str, pa.DataType]] = [
            ("shard", pa.string()),
            ("key", pa.string()),
            ("source", pa.string()),
            ("split", pa.string()),
            ("variant", pa.int64()),
            ("agreement", pa.float64()),
            ("pixels", pa.struct([(name, pa.int64()) for name in self._classes])),
        ]
        if self._things:
            columns.append(("instances", pa.struct([(name, pa.int32()) for name in self._things])))
        self.schema = pa.schema(columns)

    def rows(self, shard: str, records: Sequence[SampleRecord]) -> bytes:
        """The rows of one shard as a parquet file."""
        table = pa.Table.from_pylist([self._row(shard, record) for record in records], schema=self.schema)
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()

    def merge(self, store: Store, shards: Iterable[str]) -> bytes:
        """The rows of all shards as one file, one shard in memory at a time."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / layout.MANIFEST
            with pq.ParquetWriter(path, self.schema) as writer:
                for shard in shards:
                    writer.write_table(read_parquet(store.read(layout.rows_path(shard))))
            return path.read_bytes()

    def _row(self, shard: str, record: SampleRecord) -> dict[str, Any]:
        pixels = json.loads(record.pixels)
        instances = Counter(found["class"] for found in json.loads(record.instances))
        return {
            "shard": shard,
            "key": record.key,
            "source": record.source_key,
            "split": record.split,
            "variant": record.variant,
            "agreement": record.agreement,
            "pixels": {name: pixels.get(name, 0) for name in self._classes},
            "instances": {name: instances[name] for name in self._things},
        }
