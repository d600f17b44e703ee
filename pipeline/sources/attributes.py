"""Attributes of scenes from a table: CSV or parquet, a row a scene, its first column the name of the scene."""

import csv
import io
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.errors import SourceError, StorageError
from pipeline.parquet import read_parquet
from pipeline.sources.base import Unpaired
from pipeline.sources.names import key_of
from pipeline.storage import Store


@dataclass(frozen=True)
class AttributeTable:
    """Attributes by key; what a table leaves empty is not known."""

    place: str = ""
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, stem: str) -> Mapping[str, str]:
        """What the table says of a scene, nothing when it is not in it."""
        return self.rows.get(key_of(stem), {})

    def unused(self, keys: Container[str]) -> list[Unpaired]:
        """Rows that name no scene."""
        return [Unpaired(self.place, f"row {key!r} names no scene") for key in self.rows if key not in keys]


def read_attributes(store: Store, path: str) -> AttributeTable:
    """The table at this path under the store's root, or at this URL."""
    if "://" in path or path.startswith("/"):
        folder, _, path = path.rpartition("/")
        store = Store(folder or "/")
    place = store.place(path)
    try:
        data = store.read(path)
        rows = list(_parquet_rows(data) if path.endswith(".parquet") else _csv_rows(data))
    except (StorageError, ValueError) as error:
        raise SourceError(str(error) if isinstance(error, StorageError) else f"{place}: {error}") from error
    table: dict[str, Mapping[str, str]] = {}
    for name, values in rows:
        if key_of(name) in table:
            raise SourceError(f"{place}: {name!r} has two rows")
        table[key_of(name)] = values
    return AttributeTable(place, table)


def _csv_rows(data: bytes) -> Iterator[tuple[str, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    header = next(reader, [])
    _check_header(header)
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            raise ValueError(f"line {reader.line_num} has {len(row)} values; the header names {len(header)}")
        yield row[0], {name: value for name, value in zip(header[1:], row[1:], strict=True) if value}


def _parquet_rows(data: bytes) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        table = read_parquet(data)
    except ValueError as error:
        raise ValueError(f"not a parquet file: {error}") from error
    _check_header(table.column_names)
    for row in table.to_pylist():
        name, *values = row.values()
        yield str(name), {k: str(v) for k, v in zip(table.column_names[1:], values, strict=True) if v is not None}


def _check_header(header: list[str]) -> None:
    if len(header) < 2 or header[0] != "key":
        found = ", ".join(header) or "nothing"
        raise ValueError(f"expected the columns `key` and one or more attributes; found {found}")
