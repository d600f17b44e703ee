"""Shards as a source: what synthgen wrote, or any tars of <key>.jpg|png, <key>.seg.png, <key>.inst.png, <key>.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from label_editing.catalog import Catalog
from pipeline.catalogs import load_catalog
from pipeline.errors import MissingFileError, SourceError
from pipeline.shards import layout
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, no_split, nothing_found
from pipeline.sources.instances import from_cityscapes1000, where_seen
from pipeline.sources.names import key_of
from pipeline.sources.paired import PairedSource, Reading
from pipeline.sources.selection import selected
from pipeline.sources.tar_index import index_shards
from pipeline.storage import Store, StoredFile

# Flat fields of a sample's record that tell scenes apart.
_TELLING = ("recipe", "source_key")


class WebdatasetConfig(FileSourceConfig):
    """A data set directory that synthgen wrote, or plain shards, for which `catalog` says what their labels mean."""

    format: Literal["webdataset"] = "webdataset"
    catalog: str | None = Field(
        default=None, description="a class catalog by name, path or URL; without it, what dataset.json says"
    )
    labels: Literal["all", "seen"] = Field(
        default="all", description="seen: void where the image does not show the label, as quality.max_surprise found"
    )

    def open(self) -> Source:
        store = Store(self.root)
        own = _own_index(store)
        if self.catalog is not None:
            catalog = load_catalog(self.catalog)
        elif own is not None:
            catalog = own.catalog
        else:
            raise nothing_found(store, _without_index(store))
        tars = index_shards(store, self._shards(store, own))
        members = tars.listing()
        found = FoundFiles(
            labels=_with_field(members, "seg.png" if self.labels == "all" else "seen.png"),
            images=_with_field(members, "png") | _with_field(members, "jpg"),
            instances=_with_field(members, "inst.png"),
        )
        if not found.labels:
            advice = ", which a recipe with quality.max_surprise makes; leave out `labels: seen`"
            said = "seg.png" if self.labels == "all" else f"seen.png{advice}"
            raise SourceError(f"{self.root}: the shards of split {self.split} hold no <key>.{said}")
        scenes, unpaired = self.scenes(store, found, lambda _: {})
        notes = {key_of(stem): file for stem, file in _with_field(members, "json").items()}
        reading = Reading(from_cityscapes1000 if self.labels == "all" else where_seen)
        source = WebdatasetSource(self.format, self.split, catalog, tars, scenes, reading, unpaired, notes)
        return selected(source, self)

    def _shards(self, store: Store, own: "_Index | None") -> list[StoredFile]:
        files = store.list(layout.SHARDS) or [file for file in store.list() if "/" not in file.path]
        shards = [file for file in files if file.path.endswith(".tar")]
        if own is not None:
            shards = own.committed(store, shards)
        mine = [file for file in shards if _split_of(file) == self.split]
        if not mine:
            splits = sorted({_split_of(file) for file in shards})
            raise no_split(store, self.split, splits, f"shards/{self.split}-000000.tar", "no shards")
        return mine


@dataclass(frozen=True)
class WebdatasetSource(PairedSource):
    """Scenes in shards; what else is known of one stands in its json, which is read when it is asked for."""

    notes: Mapping[str, StoredFile] = field(default_factory=dict)

    def attributes(self, key: str) -> Mapping[str, str]:
        table = super().attributes(key)
        if key not in self.notes:
            return table
        note = self._explained(self.notes[key], lambda: json.loads(self._data(self.notes[key])))
        return {**_attributes_in(note), **table}


class _Shard(BaseModel):
    name: str
    size: int


class _Index(BaseModel):
    """dataset.json, as far as reading scenes needs it."""

    catalog: Catalog
    shards: tuple[_Shard, ...]

    def committed(self, store: Store, files: Sequence[StoredFile]) -> list[StoredFile]:
        """The files that belong to the data set; SourceError when one is missing or has another size."""
        found = {file.path.rpartition("/")[2]: file for file in files}
        for shard in self.shards:
            place = store.place(layout.shard_path(shard.name.removesuffix(".tar")))
            if shard.name not in found:
                raise SourceError(f"{place}: missing, though {layout.DATASET} lists it")
            if found[shard.name].size != shard.size:
                size = found[shard.name].size
                raise SourceError(f"{place}: has {size} bytes, not the {shard.size} that {layout.DATASET} lists")
        return [found[shard.name] for shard in self.shards]


def _own_index(store: Store) -> _Index | None:
    try:
        return _Index.model_validate_json(store.read(layout.DATASET))
    except MissingFileError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise SourceError(f"{store.place(layout.DATASET)}: damaged: {problem}") from error


def _without_index(store: Store) -> str:
    if store.exists(layout.PLAN):
        return "not complete yet; finish it by running the same synthgen augment again"
    return f"no {layout.DATASET}; for shards of other origin give `catalog`"


def _attributes_in(note: Any) -> dict[str, str]:
    """What a sample's json says of the scene: `attributes`, an object or one in a string, and where it came from."""
    if not isinstance(note, dict):
        raise ValueError(f"expected a JSON object, found {type(note).__name__}")
    told = note.get("attributes") or {}
    told = json.loads(told) if isinstance(told, str) else told
    if not isinstance(told, dict):
        raise ValueError("`attributes` is no JSON object")
    origin = {name: note[name] for name in _TELLING if note.get(name)}
    return {str(name): str(value) for name, value in (origin | told).items()}


def _with_field(members: list[StoredFile], field: str) -> dict[str, StoredFile]:
    # webdataset's rule: the field is everything behind the first dot of the name.
    found: dict[str, StoredFile] = {}
    for member in members:
        stem, _, ending = member.path.rpartition("/")[2].partition(".")
        if ending.lower() != field:
            continue
        if stem in found:
            raise SourceError(f"{found[stem].path} and {member.path}: keys must be unique over all shards")
        found[stem] = member
    return found


def _split_of(shard: StoredFile) -> str:
    return shard.path.rpartition("/")[2].rpartition("-")[0]
