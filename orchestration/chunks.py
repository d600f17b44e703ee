"""What travels between the stages of the shard engine: chunks of a shard's rows, pickled, one Arrow row each.

Every shard of a run is cut into the same number of chunks (a short one gets empty chunks), so that counting chunks
is enough to know where a shard begins and ends, whatever the sizes of the shards.
"""

import math
import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource.datasource import ReadTask

Row = Any

_SCHEMA = pa.schema([("shard", pa.string()), ("chunk", pa.int32()), ("payload", pa.large_binary())])


@dataclass(frozen=True)
class Failure:
    """An exception of a stage, as data: it passes the later stages untouched and is raised where the run is driven."""

    stage: str
    shard: str
    error: bytes
    trace: str

    @classmethod
    def of(cls, stage: str, shard: str, error: Exception) -> "Failure":
        """The exception with its trace; one that does not pickle is kept as its text."""
        trace = "".join(traceback.format_exception(error))
        try:
            kept = pickle.dumps(error)
            pickle.loads(kept)
        except Exception:
            kept = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        return cls(stage, shard, kept, trace)


@dataclass(frozen=True)
class Chunk:
    """A run of consecutive rows of one shard, or the failure that took their place."""

    shard: str
    index: int
    content: list[Row] | Failure

    def then(self, stage: str, work: Callable[[list[Row]], list[Row]]) -> "Chunk":
        """The chunk after `work`; an exception becomes the content."""
        if isinstance(self.content, Failure) or not self.content:
            return self
        try:
            return Chunk(self.shard, self.index, work(self.content))
        except Exception as error:
            return Chunk(self.shard, self.index, Failure.of(stage, self.shard, error))


def pack(chunks: Iterable[Chunk]) -> pa.Table:
    """Chunks as an Arrow table."""
    columns: list[list[Any]] = [[], [], []]
    for chunk in chunks:
        columns[0].append(chunk.shard)
        columns[1].append(chunk.index)
        columns[2].append(pickle.dumps(chunk.content, protocol=5))
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)


def unpack(table: pa.Table) -> Iterator[Chunk]:
    """The chunks of a table, one in memory at a time."""
    shards, indices = table["shard"].to_pylist(), table["chunk"].to_pylist()
    for row, (shard, index) in enumerate(zip(shards, indices, strict=True)):
        # A buffer, not bytes: the payload of a chunk of images is tens of megabytes.
        yield Chunk(shard, index, pickle.loads(table["payload"][row].as_buffer()))


class ShardChunks(Datasource):
    """Ray Data's view of the work: one read task a chunk, in the order of the shards."""

    def __init__(self, shards: Sequence[tuple[str, Sequence[Row]]], chunk_rows: int) -> None:
        self._shards = shards
        self._chunk_rows = chunk_rows
        self.chunks_per_shard = max(1, math.ceil(max((len(rows) for _, rows in shards), default=0) / chunk_rows))

    def __len__(self) -> int:
        return len(self._shards) * self.chunks_per_shard

    def get_name(self) -> str:
        return "Shards"

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_args: Any, **_kwargs: Any) -> list[ReadTask]:
        tasks = []
        for shard, rows in self._shards:
            for index in range(self.chunks_per_shard):
                piece = rows[index * self._chunk_rows : (index + 1) * self._chunk_rows]
                metadata = BlockMetadata(num_rows=1, size_bytes=None, input_files=None, exec_stats=None)
                tasks.append(ReadTask(_ReadChunk(shard, index, piece), metadata, schema=_SCHEMA))
        return tasks


@dataclass(frozen=True)
class _ReadChunk:
    shard: str
    index: int
    rows: Sequence[Row]

    def __call__(self) -> list[pa.Table]:
        return [pack([Chunk(self.shard, self.index, list(self.rows))])]
