"""Clearing an output of what no longer holds, so that the same augment command makes exactly that again.

A shard goes marker first: without its marker it does not exist, and whatever is left of it is overwritten or found by
the next repair. dataset.json, which says that everything is there, goes before any of them. Nothing outside the layout
of a data set is touched.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.augment.lease import hold_lease, refuse_while_alive
from pipeline.errors import InputError, MissingFileError, StorageError
from pipeline.plan_record import read_plan_record
from pipeline.shards import layout
from pipeline.shards.check import read_index
from pipeline.shards.commit import Marker, committed_shards, read_marker, sha256_of
from pipeline.storage import Store

_READERS = 2  # whole shards in memory at once


@dataclass(frozen=True)
class Removal:
    """A file to take away, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Repair:
    """What has to go, in the order in which it goes, and how much of the data set is then to be made again."""

    removals: tuple[Removal, ...]
    shards_to_make: int

    def as_text(self, store: Store, dry_run: bool) -> str:
        """For a person."""
        if not self.removals and not self.shards_to_make:
            return f"{store.url}: nothing to repair"
        verb = "would remove" if dry_run else "removed"
        lines = [f"{verb} {store.place(removal.path)}: {removal.reason}" for removal in self.removals]
        made = f", which makes {self.shards_to_make} of its shards" if self.shards_to_make else ""
        return "\n".join([*lines, f"then run the same synthgen augment again{made}"])

    def as_data(self, store: Store, dry_run: bool) -> dict[str, Any]:
        """For a machine."""
        return {
            "root": store.url,
            "dry_run": dry_run,
            "removals": [{"path": removal.path, "reason": removal.reason} for removal in self.removals],
            "shards_to_make": self.shards_to_make,
        }


def repair(store: Store, dry_run: bool = False) -> Repair:
    """Find what does not hold and, unless `dry_run`, remove it. RunError while a run is at work here."""
    plan = read_plan_record(store)
    if plan is None:
        raise InputError(f"{store.url}: no data set here (no {layout.PLAN})")
    refuse_while_alive(store)
    with _ownership(store, dry_run):
        found = examine(store, plan.fingerprint(), plan.shards)
        if not dry_run:
            for removal in found.removals:
                store.delete(removal.path)
    return found


def examine(store: Store, plan: str, num_shards: int) -> Repair:
    """What a repair would remove. Reads every shard."""
    marked = committed_shards(store)
    with ThreadPoolExecutor(_READERS) as threads:
        problems = dict(zip(marked, threads.map(partial(shard_problem, store, plan), marked), strict=True))
    broken = {shard: problem for shard, problem in problems.items() if problem}
    missing = num_shards - (len(marked) - len(broken))
    removals = [
        *_of_index(store, missing),
        *(removal for shard, problem in broken.items() for removal in _of_shard(store, shard, problem)),
        *_unmarked(store, set(marked)),
        *(Removal(file.path, "left by a writer that was killed") for file in store.leftovers()),
    ]
    return Repair(tuple(removals), missing)


def shard_problem(store: Store, plan: str, shard: str) -> str:
    """Why a marked shard has to be made again; empty when it is as its marker says."""
    try:
        marker = read_marker(store, shard)
    except StorageError as error:
        return "its marker is " + str(error).rpartition(": not a commit marker: ")[2]
    if marker.plan != plan:
        return "its marker belongs to another plan"
    return _file_problem(store, layout.shard_path(shard), marker.sha256) or _rows_problem(store, marker)


def _rows_problem(store: Store, marker: Marker) -> str:
    problem = _file_problem(store, layout.rows_path(marker.shard), marker.rows_sha256)
    return f"the rows of its manifest: {problem}" if problem else ""


def _file_problem(store: Store, path: str, sha256: str) -> str:
    try:
        data = store.read(path)
    except MissingFileError:
        return "gone"
    return "" if sha256_of(data) == sha256 else "changed: its bytes are not those that were committed"


def _of_index(store: Store, missing_shards: int) -> Iterator[Removal]:
    """dataset.json, unless everything that it speaks for is there."""
    if not store.exists(layout.DATASET):
        return
    if missing_shards:
        yield Removal(layout.DATASET, "the data set is not complete")
        return
    try:
        index = read_index(store)
    except InputError:
        yield Removal(layout.DATASET, "damaged")
        return
    problem = _file_problem(store, layout.MANIFEST, index.manifest_sha256)
    if problem:
        yield Removal(layout.DATASET, f"{layout.MANIFEST} is {problem}")


def _of_shard(store: Store, shard: str, problem: str) -> Iterator[Removal]:
    for path in (layout.marker_path(shard), layout.shard_path(shard), layout.rows_path(shard)):
        if store.exists(path):
            yield Removal(path, problem)


def _unmarked(store: Store, marked: set[str]) -> Iterator[Removal]:
    for folder, ending in ((layout.SHARDS, ".tar"), (layout.ROWS, ".parquet")):
        for file in store.list(folder):
            name = file.path.rpartition("/")[2]
            shard = name.removesuffix(ending)
            if name.endswith(ending) and file.path == f"{folder}/{name}" and shard not in marked:
                yield Removal(file.path, "not committed")


def _ownership(store: Store, dry_run: bool) -> AbstractContextManager[object]:
    """A dry run writes nothing, not even a lease."""
    return nullcontext() if dry_run else hold_lease(store)
