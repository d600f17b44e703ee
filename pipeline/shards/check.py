"""Whether a data set is what it says: markers, checksums, every pair, keys, manifest. Names every problem it finds."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from label_editing.catalog import Catalog
from label_editing.scene import class_of_instance
from pipeline.errors import InputError, MissingFileError, SynthgenError
from pipeline.parquet import read_parquet
from pipeline.shards import layout
from pipeline.shards.commit import committed_shards, read_marker, sha256_of
from pipeline.shards.sample import Decoded, decode_sample
from pipeline.shards.tar import read_samples
from pipeline.storage import Store


class CheckedSample(NamedTuple):
    """What a sample says it was made from."""

    key: str
    source: str
    source_key: str


@dataclass(frozen=True)
class ShardCheck:
    """What was found in one shard. `samples` are those that could be decoded."""

    shard: str
    problems: tuple[str, ...]
    keys: tuple[str, ...]
    samples: tuple[CheckedSample, ...] = ()


@dataclass(frozen=True)
class DatasetIndex:
    """dataset.json, as far as a check needs it."""

    catalog: Catalog
    plan: str
    shards: dict[str, dict[str, Any]]  # shard -> its entry
    manifest_sha256: str


def read_index(store: Store) -> DatasetIndex:
    """What the data set says of itself. InputError when there is none, or one that is not complete."""
    try:
        said = json.loads(store.read(layout.DATASET))
        shards = {_shard_of(entry): entry for entry in said["shards"]}
        catalog = Catalog.model_validate(said["catalog"])
        return DatasetIndex(catalog, str(said["plan"]), shards, str(said["manifest_sha256"]))
    except MissingFileError:
        if store.exists(layout.PLAN):
            raise InputError(
                f"{store.url}: not complete yet; finish it by running the same synthgen augment again"
            ) from None
        raise InputError(f"{store.url}: no data set here (no {layout.DATASET})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{store.place(layout.DATASET)}: damaged: {error}") from None


def _shard_of(entry: dict[str, Any]) -> str:
    """The shard of an entry of dataset.json, which may come from anybody: its name must be nothing but a name."""
    shard = str(entry["name"]).removesuffix(".tar")
    if not layout.is_shard_name(shard):
        raise ValueError(f"{shard[:80]!r} is not the name of a shard")
    for key in ("sha256", "size", "samples"):
        if type(entry[key]) is not (str if key == "sha256" else int):
            raise ValueError(f"shard {shard}: {key} is {entry[key]!r}"[:200])
    return shard


def check_shard(store: Store, index: DatasetIndex, shard: str) -> ShardCheck:
    """Everything that is wrong with one shard."""
    place = store.place(layout.shard_path(shard))
    try:
        data = store.read(layout.shard_path(shard))
    except SynthgenError as error:
        return ShardCheck(shard, (str(error),), ())
    problems = [f"{place}: {problem}" for problem in _against_entry(data, index.shards[shard])]
    problems += _against_marker(store, index, shard)
    keys: list[str] = []
    samples: list[CheckedSample] = []
    try:
        for key, fields in read_samples(data):
            keys.append(key)
            try:
                sample = decode_sample(key, fields)
            except ValueError as error:
                problems.append(f"{place}: sample {key}: {error}")
                continue
            samples.append(CheckedSample(key, sample.record.source, sample.record.source_key))
            problems += [f"{place}: sample {key}: {problem}" for problem in _sample_problems(sample, index)]
    except Exception as error:  # tarfile raises several kinds on damaged archives
        problems.append(f"{place}: not a readable tar after {len(keys)} samples: {error}")
    if len(keys) != index.shards[shard]["samples"]:
        problems.append(f"{place}: holds {len(keys)} samples, dataset.json says {index.shards[shard]['samples']}")
    return ShardCheck(shard, tuple(problems), tuple(keys), tuple(samples))


def check_whole(store: Store, index: DatasetIndex, checks: Sequence[ShardCheck]) -> Iterator[str]:
    """What only shows over all shards: keys that occur twice, strangers, and a manifest that says something else."""
    yield from _doubled_keys(checks)
    known = {layout.shard_path(shard) for shard in index.shards}
    for file in store.list(layout.SHARDS):
        if file.path not in known:
            yield f"{store.place(file.path)}: not in dataset.json"
    for shard in sorted(set(committed_shards(store)) - set(index.shards)):
        yield f"{store.place(layout.marker_path(shard))}: marks a shard that is not in dataset.json"
    yield from _manifest_problems(store, index, checks)


def _against_entry(data: bytes, entry: dict[str, Any]) -> Iterator[str]:
    if len(data) != entry["size"]:
        yield f"{len(data)} bytes, dataset.json says {entry['size']}"
    if sha256_of(data) != entry["sha256"]:
        yield f"changed: its sha256 is {sha256_of(data)}, dataset.json says {entry['sha256']}"


def _against_marker(store: Store, index: DatasetIndex, shard: str) -> list[str]:
    place = store.place(layout.marker_path(shard))
    try:
        marker = read_marker(store, shard)
    except SynthgenError as error:
        return [str(error)]
    entry = index.shards[shard]
    if (marker.sha256, marker.size, marker.samples) != (entry["sha256"], entry["size"], entry["samples"]):
        return [f"{place}: differs from dataset.json"]
    return [] if marker.plan == index.plan else [f"{place}: belongs to another plan than dataset.json"]


def _sample_problems(sample: Decoded, index: DatasetIndex) -> list[str]:
    return [*_map_problems(sample, index.catalog), *_record_problems(sample, index.catalog)]


def _map_problems(sample: Decoded, catalog: Catalog) -> Iterator[str]:
    strange = [int(i) for i in np.unique(sample.labels) if i >= len(catalog.known) or not catalog.known[i]]
    if strange:
        yield f"seg.png holds ids {', '.join(map(str, strange))}, no classes of catalog {catalog.name}"
    differ = int((class_of_instance(sample.instances) != sample.labels).sum())
    if differ:
        yield f"inst.png and seg.png disagree on the class of {differ} pixels"
    if sample.seen is not None:
        others = int(((sample.seen != sample.labels) & ~np.isin(sample.seen, catalog.void_ids)).sum())
        if others:
            yield f"seen.png has another label than seg.png, and not void, on {others} pixels"


def _record_problems(sample: Decoded, catalog: Catalog) -> Iterator[str]:
    counts = np.bincount(sample.labels.ravel(), minlength=catalog.max_id + 1)
    counted = {c.name: int(counts[c.id]) for c in catalog.classes if counts[c.id]}
    if json.loads(sample.record.pixels) != counted:
        yield "json: pixels are not those of seg.png"
    ids = {int(i) for i in np.unique(sample.instances) if i >= 1000}
    if {found["id"] for found in json.loads(sample.record.instances)} != ids:
        yield "json: instances are not those of inst.png"


def _doubled_keys(checks: Sequence[ShardCheck]) -> Iterator[str]:
    first: dict[str, str] = {}
    for check in checks:
        for key in check.keys:
            if key in first:
                yield f"key {key} occurs twice: in {first[key]} and in {check.shard}"
            first.setdefault(key, check.shard)


def _manifest_problems(store: Store, index: DatasetIndex, checks: Sequence[ShardCheck]) -> Iterator[str]:

    place = store.place(layout.MANIFEST)
    try:
        data = store.read(layout.MANIFEST)
        table = read_parquet(data, columns=["shard", "key"])
    except (SynthgenError, OSError, ValueError) as error:
        yield f"{place}: {error}"
        return
    if sha256_of(data) != index.manifest_sha256:
        yield f"{place}: changed: its sha256 is not the one in dataset.json"
    listed = list(zip(table["shard"].to_pylist(), table["key"].to_pylist(), strict=True))
    found = [(check.shard, key) for check in checks for key in check.keys]
    if listed != found:
        lacking, extra = len(set(found) - set(listed)), len(set(listed) - set(found))
        yield f"{place}: does not list what the shards hold ({lacking} samples missing, {extra} not there)"
