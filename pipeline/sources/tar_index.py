"""Random access into tar shards: headers are read once, members later by byte range."""

import io
import tarfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.errors import SourceError
from pipeline.storage import Store, StoredFile

_WINDOW = 128 * 1024  # small members lie side by side: one request brings the headers of several
_THREADS = 8
_END_OF_TAR = bytes(1024)


class Extent(NamedTuple):
    """Where a member lies in its shard."""

    shard: str
    offset: int
    size: int


@dataclass(frozen=True)
class TarFiles:
    """Members of tar shards as files named `<shard>/<member>`."""

    store: Store
    extents: Mapping[str, Extent]

    @property
    def url(self) -> str:
        return self.store.url

    def place(self, path: str) -> str:
        return self.store.place(path)

    def read(self, path: str) -> bytes:
        shard, offset, size = self.extents[path]
        data = self.store.read_range(shard, offset, offset + size)
        if len(data) != size:
            raise SourceError(f"{self.place(path)}: {len(data)} of {size} bytes are there; the shard has changed")
        return data

    def listing(self) -> list[StoredFile]:
        """Every member, in the order of shards and members."""
        return [StoredFile(path, extent.size) for path, extent in self.extents.items()]


def index_shards(store: Store, shards: Iterable[StoredFile]) -> TarFiles:
    """Read the headers of every shard; SourceError names one that is cut short or no tar."""
    with ThreadPoolExecutor(_THREADS) as pool:
        indexed = list(pool.map(lambda shard: _members(store, shard), shards))
    return TarFiles(store, {path: extent for members in indexed for path, extent in members.items()})


def _members(store: Store, shard: StoredFile) -> dict[str, Extent]:
    found: dict[str, Extent] = {}
    try:
        with tarfile.open(fileobj=_RangedFile(store, shard), mode="r:") as tar:
            for info in tar:
                if not info.isreg():
                    continue
                path = f"{shard.path}/{info.name}"
                if path in found:
                    raise SourceError(f"{store.place(path)}: the shard holds this name twice")
                if not 0 <= info.size <= shard.size - info.offset_data:
                    raise SourceError(
                        f"{store.place(shard.path)}: a truncated tar: it ends before its {info.name} does"
                    )
                found[path] = Extent(shard.path, info.offset_data, info.size)
    except (tarfile.TarError, ValueError, OverflowError) as error:  # numbers in headers are whatever somebody wrote
        raise SourceError(f"{store.place(shard.path)}: a truncated or damaged tar: {error}") from error
    # An archive cut exactly between two members reads back short without an error; only its end marker is missing.
    if store.read_range(shard.path, max(0, shard.size - len(_END_OF_TAR)), shard.size) != _END_OF_TAR:
        raise SourceError(f"{store.place(shard.path)}: a truncated tar: its end marker is missing")
    return found


class _RangedFile(io.RawIOBase):
    """A stored file as tarfile wants it, read in windows around where it looks."""

    def __init__(self, store: Store, file: StoredFile) -> None:
        self._store = store
        self._file = file
        self._at = 0
        self._window_start = 0
        self._window = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._file.size if size < 0 else min(self._file.size, self._at + size)
        if end <= self._at:
            return b""
        if not (self._window_start <= self._at and end <= self._window_start + len(self._window)):
            self._window_start = self._at
            window_end = min(self._file.size, max(end, self._at + _WINDOW))
            self._window = self._store.read_range(self._file.path, self._at, window_end)
        start = self._at - self._window_start
        self._at = end
        return self._window[start : end - self._window_start]
