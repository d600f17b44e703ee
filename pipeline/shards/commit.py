"""Committing a shard: put whole under its final name, read back, then marked. Without its marker it does not exist.

    tar (in memory) -> sha256 -> one atomic put -> read back and compare -> rows for the manifest -> exclusive marker

Everything before the marker may be done again at any time and gives the same bytes; the marker is never overwritten.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import RunError, StorageError
from pipeline.shards import layout
from pipeline.storage import Store

_READERS = 16  # markers read at once: on object storage each is a round trip


class Marker(BaseModel):
    """`.synthgen/commits/<shard>.json`: that a shard is there, what its bytes are, and what making it was like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard: str
    plan: str  # fingerprint of the plan that it belongs to
    sha256: str
    size: int
    samples: int
    rows_sha256: str
    statistics: dict[str, Any]
    rejects: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> bytes:
        """The bytes of the marker: what it says, and a hash over that, since nothing else would tell a flipped bit."""
        said = self.model_dump(mode="json")
        return _compact({"digest": sha256_of(_compact(said)), **said})

    @classmethod
    def from_json(cls, data: bytes) -> "Marker":
        """The marker back. ValueError says what is wrong with the bytes."""
        said = json.loads(data)
        if not isinstance(said, dict):
            raise ValueError("not a JSON object")
        digest = said.pop("digest", None)
        try:
            marker = cls.model_validate(said)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if digest != sha256_of(_compact(said)):
            raise ValueError("its digest does not fit its content")
        return marker


def commit_shard(store: Store, marker: Marker, tar: bytes, rows: bytes, fence: Callable[[], None]) -> Marker:
    """Put the shard in place and mark it; the marker that then stands, which an earlier attempt may have set.

    `fence` raises when this run no longer owns the output; it is asked last, right before the marker.
    """
    if store.exists(layout.marker_path(marker.shard)):
        return _standing(store, marker)  # and its tar is left alone
    put_verified(store, layout.shard_path(marker.shard), tar, marker.sha256)
    store.write_atomic(layout.rows_path(marker.shard), rows)
    fence()
    if store.create_exclusive(layout.marker_path(marker.shard), marker.to_json()):
        return marker
    return _standing(store, marker)


def _standing(store: Store, wanted: Marker) -> Marker:
    standing = read_marker(store, wanted.shard)
    if standing.sha256 != wanted.sha256:
        raise RunError(
            f"{store.place(layout.marker_path(wanted.shard))}: committed before with other bytes; the same plan must "
            "give the same shard: was another version of synthgen, or another kind of device, at work here?"
        )
    return standing


def put_verified(store: Store, path: str, data: bytes, sha256: str) -> None:
    """Put a file and read it back. StorageError where the storage keeps something else."""
    store.write_atomic(path, data)
    kept = hashlib.sha256(store.read(path)).hexdigest()
    if kept != sha256:
        raise StorageError(f"{store.place(path)}: reads back with sha256 {kept}, was written with {sha256}")


def _compact(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def sha256_of(data: bytes) -> str:
    """The hash that markers, manifest and dataset.json know bytes by."""
    return hashlib.sha256(data).hexdigest()


def read_marker(store: Store, shard: str) -> Marker:
    """The marker of a shard. StorageError where it is not what a marker is."""
    path = layout.marker_path(shard)
    try:
        marker = Marker.from_json(store.read(path))
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{store.place(path)}: not a commit marker: {error}") from None
    if marker.shard != shard:
        raise StorageError(f"{store.place(path)}: is the marker of shard {marker.shard}")
    return marker


def committed_shards(store: Store) -> list[str]:
    """The shards that have a marker, sorted."""
    names = (file.path.rpartition("/")[2] for file in store.list(layout.COMMITS))
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def read_markers(store: Store, shards: Sequence[str]) -> Iterator[Marker]:
    """The markers of these shards, in order."""
    with ThreadPoolExecutor(_READERS) as threads:
        for start in range(0, len(shards), _READERS):
            yield from threads.map(lambda shard: read_marker(store, shard), shards[start : start + _READERS])
