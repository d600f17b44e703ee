"""Shards as a source: what synthgen wrote, or any tars of <key>.jpg|png, <key>.seg.png, <key>.inst.png, <key>.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from label_editing.catalog import Catalog
from pipeline.catalogs import load_catalog
from pipeline.errors import MissingFileError, SourceError
from pipeline.shards import layout
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, no_split
from pipeline.sources.instances import from_cityscapes1000
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

    def open(self) -> Source:
        store = Store(self.root)
        catalog = load_catalog(self.catalog) if self.catalog else _own_catalog(store)
        tars = index_shards(store, self._shards(store))
        members = tars.listing()
        found = FoundFiles(
            labels=_with_field(members, "seg.png"),
            images=_with_field(members, "png") | _with_field(members, "jpg"),
            instances=_with_field(members, "inst.png"),
        )
        if not found.labels:
            raise SourceError(f"{self.root}: the shards of split {self.split} hold no <key>.seg.png")
        scenes, unpaired = self.scenes(store, found, lambda _: {})
        notes = _with_field(members, "json")
        reading = Reading(from_cityscapes1000)
        source = WebdatasetSource(self.format, self.split, catalog, tars, scenes, reading, unpaired, notes)
        return selected(source, self)

    def _shards(self, store: Store) -> list[StoredFile]:
        files = store.list(layout.SHARDS) or [file for file in store.list() if "/" not in file.path]
        shards = [file for file in files if file.path.endswith(".tar")]
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


def _own_catalog(store: Store) -> Catalog:
    place = store.place(layout.DATASET)
    try:
        return Catalog.model_validate(json.loads(store.read(layout.DATASET))["catalog"])
    except MissingFileError:
        if store.exists(layout.PLAN):
            raise SourceError(
                f"{store.url}: unfinished: {layout.DATASET} is missing; run the augment that made it again"
            ) from None
        raise SourceError(f"{store.url}: no {layout.DATASET}; for shards of other origin give `catalog`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{place}: holds no catalog ({error})") from error


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
