"""Reading parquet from bytes, on the calling thread alone."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The table; ValueError where the bytes are no parquet file.

    Arrow's pool would keep the bytes alive on its own threads, and a thread that lets go of them once the interpreter
    is gone aborts the process at exit.
    """
    try:
        return pq.ParquetFile(pa.BufferReader(data)).read(columns=columns, use_threads=False)
    except (OSError, MemoryError, pa.ArrowException) as error:  # Arrow tells damage as any of these
        raise ValueError(str(error).partition("\n")[0]) from error
