"""Instance banks of sources: built in one pass over the label maps, kept as parquet, read a class at a time."""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from label_editing.edits import Edit, EditContext, every_edit
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.replace_region import ReplaceRegion
from label_editing.instance_bank import BankEntry, InstanceBank, build_entries
from label_editing.perspective import Perspective
from label_editing.scene import Scene
from label_editing.views import view_of_scene
from orchestration.cluster import ClusterInfo
from orchestration.parallel import map_parallel
from pipeline.engine_failures import in_words
from pipeline.errors import InputError, SourceError
from pipeline.glance import spread
from pipeline.local_cache import local_cache
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.storage import Store

_FORMAT = 3
_MOST_PER_CLASS = 4000  # more add nothing that anyone would see
_GLANCE = 16  # scenes that a preview takes cut-outs from, so that it takes seconds on any source
_NUM_OTHER_SCENES = 8  # that replace_region takes regions from
_FIELDS: dict[str, pa.DataType] = {
    "class_name": pa.string(),
    "height": pa.int32(),
    "width": pa.int32(),
    "packed": pa.binary(),
    "foot_row": pa.int32(),
    "foot_column": pa.int32(),
    "scene_height": pa.int32(),
    "scene_width": pa.int32(),
    "source_key": pa.string(),
    "companion": pa.string(),
    "perspective": pa.string(),  # JSON, empty where the scene was too bare to measure one
    "attributes": pa.string(),  # JSON
}
_SCHEMA = pa.schema(list(_FIELDS.items()))
_NAMES: TypeAdapter[list[str]] = TypeAdapter(list[str])


class SceneFinds(NamedTuple):
    """What one scene gives to a bank."""

    entries: list[BankEntry]
    view: Perspective | None


class FindInScene:
    """Reads one scene and cuts its whole objects out. Pickles, so that any worker can make one."""

    def __init__(self, source: Source, resolution: Resolution | None) -> None:
        self._source, self._resolution = source, resolution

    def __call__(self) -> Callable[[str], SceneFinds]:
        return self.find

    def find(self, key: str) -> SceneFinds:
        """The finds of the scene of this key; none of a broken one, which counts where samples are made of it."""
        try:
            scene = self._source.read_scene(key, self._resolution)
        except SourceError:
            return SceneFinds([], None)
        return SceneFinds(build_entries(scene), view_of_scene(scene))


def build_bank(
    source: Source,
    keys: Sequence[str] | None = None,
    resolution: Resolution | None = None,
    cluster: ClusterInfo | None = None,
) -> InstanceBank:
    """The bank of a source's scenes, or of some of them; over the cluster where one is given, here otherwise."""
    keys = source.keys() if keys is None else keys
    finder = FindInScene(source, resolution)
    finds: Iterable[SceneFinds] = (
        _here(finder.find, keys) if cluster is None else map_parallel(finder, keys, cluster, name="instance bank")
    )
    entries: list[BankEntry] = []
    views: list[Perspective] = []
    with in_words():
        for found in finds:
            entries.extend(found.entries)
            views.extend([found.view] if found.view is not None else [])
    return InstanceBank.of(_thinned(entries), usual_view(views))


def _here(find: Callable[[str], SceneFinds], keys: Sequence[str]) -> list[SceneFinds]:
    # Reading and OpenCV let go of the interpreter, so threads help.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(find, keys))


def usual_view(views: Sequence[Perspective]) -> Perspective | None:
    """The median of the views that scenes measured on their own objects."""
    if not views:
        return None
    return Perspective(
        horizon=float(np.median([v.horizon for v in views])),
        scale=float(np.median([v.scale for v in views])),
        objects=sum(v.objects for v in views),
    )


def _thinned(entries: list[BankEntry]) -> Iterator[BankEntry]:
    """At most so many of each class, evenly over the source."""
    by_class: dict[str, list[BankEntry]] = {}
    for entry in entries:
        by_class.setdefault(entry.class_name, []).append(entry)
    for of_class in by_class.values():
        kept = np.linspace(0, len(of_class) - 1, min(len(of_class), _MOST_PER_CLASS)).astype(int)
        yield from (of_class[k] for k in kept.tolist())


def bank_to_parquet(bank: InstanceBank) -> bytes:
    """The bank as a file: a row group a class, so that a class is read without the others."""
    view = "" if bank.perspective is None else bank.perspective.model_dump_json()
    about = {"format": str(_FORMAT), "classes": json.dumps(bank.class_names), "perspective": view}
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, _SCHEMA.with_metadata(about), compression="zstd") as writer:
        for name in bank.class_names:
            rows = [_row(entry) for entry in bank.entries(name)]
            writer.write_table(pa.Table.from_pylist(rows, _SCHEMA), row_group_size=len(rows))
    return buffer.getvalue()


def _row(entry: BankEntry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _FIELDS}
    row["perspective"] = "" if entry.perspective is None else entry.perspective.model_dump_json()
    row["attributes"] = json.dumps(dict(entry.attributes), sort_keys=True)
    return row


def bank_from_parquet(data: bytes) -> InstanceBank:
    """The bank in a file; its classes are unpacked on first use. ValueError for a file that is none."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except (OSError, MemoryError, pa.ArrowException) as error:  # Arrow tells damage as any of these
        raise ValueError(f"not a parquet file: {str(error).partition(chr(10))[0]}") from None
    about = file.schema_arrow.metadata or {}
    if about.get(b"format") != str(_FORMAT).encode() or not file.schema_arrow.remove_metadata().equals(_SCHEMA):
        raise ValueError(f"not an instance bank of format {_FORMAT}; build it again")
    try:
        classes = _NAMES.validate_json(about[b"classes"])
        view = about[b"perspective"].decode()
        perspective = Perspective.model_validate_json(view) if view else None
    except (KeyError, ValueError) as error:
        raise ValueError(f"damaged: {error}; build it again") from None
    if len(classes) != file.metadata.num_row_groups:
        raise ValueError(f"damaged: {len(classes)} classes in {file.metadata.num_row_groups} parts; build it again")
    return InstanceBank({name: _StoredEntries(data, group) for group, name in enumerate(classes)}, perspective)


class _StoredEntries(Sequence[BankEntry]):
    """The entries of one row group, read when the first is asked for."""

    def __init__(self, data: bytes, group: int) -> None:
        self._data, self._group = data, group

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers read what they need themselves.
        return _StoredEntries, (self._data, self._group)

    @cached_property
    def _entries(self) -> list[BankEntry]:
        try:
            rows = pq.ParquetFile(pa.BufferReader(self._data)).read_row_group(self._group).to_pylist()
            return [_entry(row) for row in rows]
        except (OSError, MemoryError, ValueError, TypeError, pa.ArrowException) as error:
            what = str(error).partition("\n")[0]
            raise InputError(f"instance bank: its part {self._group} is damaged: {what}; build it again") from None

    @cached_property
    def _count(self) -> int:
        return int(pq.read_metadata(pa.BufferReader(self._data)).row_group(self._group).num_rows)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> BankEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[BankEntry]: ...
    def __getitem__(self, index: int | slice) -> BankEntry | Sequence[BankEntry]:
        return self._entries[index]


def _entry(row: dict[str, Any]) -> BankEntry:
    view = row["perspective"]
    return BankEntry(
        **row
        | {
            "perspective": Perspective.model_validate_json(view) if view else None,
            "attributes": json.loads(row["attributes"]),
        }
    )


def read_bank(store: Store, path: str) -> InstanceBank:
    """The bank in a stored file; InputError names the file where it is none."""
    try:
        return bank_from_parquet(store.read(path))
    except ValueError as error:
        raise InputError(f"{store.place(path)}: {error}") from None


def bank_path(source: Source, resolution: Resolution | None) -> str:
    """Where the bank of a source is kept in a store."""
    made_of = f"{_FORMAT} {source.fingerprint()} {resolution}"
    return f"instances-{sha256(made_of.encode()).hexdigest()[:16]}.parquet"


def cached_bank(
    source: Source, store: Store, resolution: Resolution | None = None, cluster: ClusterInfo | None = None
) -> InstanceBank:
    """The bank of a source from the store, built and put there on first use."""
    path = bank_path(source, resolution)
    if not store.exists(path):
        store.write_atomic(path, bank_to_parquet(build_bank(source, None, resolution, cluster)))
    return read_bank(store, path)


def edit_context(
    edits: Sequence[Edit],
    source: Source,
    store: Store | None,
    resolution: Resolution | None = None,
    cluster: ClusterInfo | None = None,
) -> EditContext:
    """What these edits need to know of the source: a bank where objects come, other scenes where regions do."""
    if not _needs_bank(edits):
        return _context(edits, source, None, resolution)
    if store is None:
        return _context(edits, source, build_bank(source, None, resolution, cluster), resolution)
    return _context(edits, source, cached_bank(source, store, resolution, cluster), resolution)


def _needs_bank(edits: Sequence[Edit]) -> bool:
    return any(isinstance(e, AddInstances) and e.cutouts in ("auto", "bank") for e in every_edit(edits))


def _context(
    edits: Sequence[Edit], source: Source, bank: InstanceBank | None, resolution: Resolution | None
) -> EditContext:
    scenes: tuple[Scene, ...] = ()
    if any(isinstance(edit, ReplaceRegion) for edit in every_edit(edits)):
        scenes = tuple(source.read_scene(key, resolution) for key in spread(source.keys(), _NUM_OTHER_SCENES))
    return EditContext(bank, None if bank is None else bank.perspective, scenes)


def kept_context(
    edits: Sequence[Edit], source: Source, run: Store, resolution: Resolution | None = None
) -> EditContext:
    """The same for commands that leave a run alone: the run's bank where it has one, else one kept on this machine."""
    store = run if run.exists(bank_path(source, resolution)) else local_cache()
    return edit_context(edits, source, store, resolution)


def quick_context(
    edits: Sequence[Edit], source: Source, run: Store, resolution: Resolution | None = None
) -> tuple[EditContext, str]:
    """As `kept_context`, but in seconds on any source: where there is no bank yet, one of a few scenes.

    The second value then says so, and how to get the whole bank; it is empty where nothing was left out.
    """
    keys, path = source.keys(), bank_path(source, resolution)
    if not _needs_bank(edits) or len(keys) <= _GLANCE or run.exists(path) or local_cache().exists(path):
        return kept_context(edits, source, run, resolution), ""
    bank = build_bank(source, spread(keys, _GLANCE), resolution)
    note = (
        f"cut-outs come from {_GLANCE} of {len(keys):,} scenes, so what is added differs from a run's; "
        "`synthgen bank build` makes the bank of all of them"
    )
    return _context(edits, source, bank, resolution), note
