"""The style bank: K looks per class, found in training images, and which image has which."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from generators.style import StyleKind
from pipeline.parquet import read_parquet

# Families with one code per image keep it under this class, which no catalog can hold.
WHOLE_IMAGE = -1
_FORMAT = 1
_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),  # cluster: a centre; member: one image's mean within a cluster
        ("class_id", pa.int32()),
        ("cluster", pa.int32()),
        ("vector", pa.list_(pa.float32())),
        ("size", pa.int32()),  # regions
        ("image", pa.string()),  # of a member, empty on a cluster
        ("tags", pa.list_(pa.string())),  # of a cluster
    ]
)

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cluster:
    """One look of one class."""

    class_id: int
    number: int
    centre: Vector
    size: int  # regions of the training images that fell into it
    attributes: Mapping[str, Mapping[str, int]]  # how many of them came from night, from day, ...
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Members:
    """One row per image, class and cluster: the mean look of the image's regions of that class in that cluster."""

    image: npt.NDArray[np.int32]  # index into StyleBank.image_keys
    class_id: npt.NDArray[np.int32]
    cluster: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]
    vectors: Vector

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class StyleBank:
    """Every look found over a training source. A family without styles has an empty one."""

    kind: StyleKind
    dim: int
    clusters: tuple[Cluster, ...] = ()
    image_keys: tuple[str, ...] = ()
    image_attributes: tuple[Mapping[str, str], ...] = ()
    members: Members | None = None
    searched: bool = False  # vectors are noise that was found to render its image, not what an encoder said of it

    @cached_property
    def by_class(self) -> Mapping[int, tuple[Cluster, ...]]:
        """The clusters of each class, by number."""
        found: dict[int, list[Cluster]] = {}
        for cluster in self.clusters:
            found.setdefault(cluster.class_id, []).append(cluster)
        return {class_id: tuple(sorted(some, key=lambda c: c.number)) for class_id, some in found.items()}

    @cached_property
    def image_index(self) -> Mapping[str, int]:
        """Where an image stands in `image_keys`."""
        return {key: index for index, key in enumerate(self.image_keys)}

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every tag in use."""
        return tuple(sorted({tag for cluster in self.clusters for tag in cluster.tags}))

    def said(self) -> str:
        """How much is in it, in a line."""
        if not self.clusters:
            return "no looks: this family takes no style"
        of_what = f"{len(self.by_class)} classes" if self.kind is StyleKind.INSTANCE else "whole images"
        return f"{len(self.clusters)} looks of {of_what}, from {len(self.image_keys)} images"

    def attribute_values(self) -> Mapping[str, tuple[str, ...]]:
        """The values each attribute takes over the images."""
        values: dict[str, set[str]] = {}
        for attributes in self.image_attributes:
            for name, value in attributes.items():
                values.setdefault(name, set()).add(value)
        return {name: tuple(sorted(found)) for name, found in sorted(values.items())}

    def images_with(self, wanted: Mapping[str, str]) -> npt.NDArray[np.int64]:
        """The images that have all these attributes."""
        return np.array(
            [
                index
                for index, attributes in enumerate(self.image_attributes)
                if all(attributes.get(name) == value for name, value in wanted.items())
            ],
            np.int64,
        )

    def rows_of(self, class_id: int) -> npt.NDArray[np.int64]:
        """The member rows of a class."""
        return self._rows_by_class.get(class_id, np.empty(0, np.int64))

    @cached_property
    def _rows_by_class(self) -> Mapping[int, npt.NDArray[np.int64]]:
        if self.members is None:
            return {}
        return {int(c): np.flatnonzero(self.members.class_id == c) for c in np.unique(self.members.class_id)}

    def rows_of_cluster(self, cluster: Cluster) -> npt.NDArray[np.int64]:
        """The member rows of a cluster."""
        rows = self.rows_of(cluster.class_id)
        return rows[self.members.cluster[rows] == cluster.number] if self.members is not None else rows

    def rows_of_image(self, image: int) -> npt.NDArray[np.int64]:
        """The member rows of an image."""
        return np.flatnonzero(self.members.image == image) if self.members is not None else np.empty(0, np.int64)

    def tagged(self, class_id: int, number: int, tags: Iterable[str]) -> "StyleBank":
        """The bank with these tags on one cluster."""
        if not any((c.class_id, c.number) == (class_id, number) for c in self.clusters):
            raise ValueError(f"class id {class_id} has no cluster {number}")
        changed = tuple(
            replace(c, tags=tuple(sorted(set(tags)))) if (c.class_id, c.number) == (class_id, number) else c
            for c in self.clusters
        )
        return replace(self, clusters=changed)

    def fingerprint(self) -> str:
        """A hash over everything a draw can depend on."""
        searched = ["searched"] if self.searched else []
        digest = sha256(json.dumps([_FORMAT, str(self.kind), self.dim, self.image_keys, *searched]).encode())
        digest.update(json.dumps([dict(a) for a in self.image_attributes], sort_keys=True).encode())
        for c in self.clusters:
            digest.update(json.dumps([c.class_id, c.number, c.size, c.tags]).encode())
            digest.update(np.ascontiguousarray(c.centre).tobytes())
        if self.members is not None:
            for column in (self.members.image, self.members.class_id, self.members.cluster, self.members.vectors):
                digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def to_parquet(self) -> bytes:
        """The bank as one parquet file; attributes of images travel in its metadata."""
        rows = [_cluster_row(c) for c in self.clusters]
        rows += [self._member_row(row) for row in range(len(self.members or ()))]
        head = {
            "format": _FORMAT,
            "style_kind": str(self.kind),
            "dim": self.dim,
            "searched": self.searched,
            "images": [[key, dict(a)] for key, a in zip(self.image_keys, self.image_attributes, strict=True)],
            "attributes": [{name: dict(count) for name, count in c.attributes.items()} for c in self.clusters],
        }
        schema = _SCHEMA.with_metadata({"synthgen": json.dumps(head)})
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
        return sink.getvalue()

    def _member_row(self, row: int) -> dict[str, Any]:
        members = self.members
        assert members is not None
        return {
            "kind": "member",
            "class_id": int(members.class_id[row]),
            "cluster": int(members.cluster[row]),
            "vector": members.vectors[row].tolist(),
            "size": int(members.size[row]),
            "image": self.image_keys[members.image[row]],
            "tags": [],
        }

    @classmethod
    def from_parquet(cls, data: bytes) -> "StyleBank":
        """The bank of `to_parquet`; ValueError when the bytes are none."""
        try:
            table = read_parquet(data)
            head = json.loads((table.schema.metadata or {})[b"synthgen"])
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise ValueError(f"no style bank: {error}") from error
        if head["format"] != _FORMAT:
            raise ValueError(f"style bank of format {head['format']}; this version reads format {_FORMAT}")
        return _bank_of(table.to_pylist(), head)


def _bank_of(rows: list[dict[str, Any]], head: Mapping[str, Any]) -> StyleBank:
    keys = tuple(key for key, _ in head["images"])
    clusters = [row for row in rows if row["kind"] == "cluster"]
    members = [row for row in rows if row["kind"] == "member"]
    return StyleBank(
        kind=StyleKind(head["style_kind"]),
        dim=head["dim"],
        clusters=tuple(_cluster_of(r, a) for r, a in zip(clusters, head["attributes"], strict=True)),
        image_keys=keys,
        image_attributes=tuple(attributes for _, attributes in head["images"]),
        members=_members_of(members, keys, head["dim"]) if members else None,
        searched=head.get("searched", False),
    )


def _cluster_row(cluster: Cluster) -> dict[str, Any]:
    return {
        "kind": "cluster",
        "class_id": cluster.class_id,
        "cluster": cluster.number,
        "vector": cluster.centre.tolist(),
        "size": cluster.size,
        "image": "",
        "tags": list(cluster.tags),
    }


def _cluster_of(row: Mapping[str, Any], attributes: Mapping[str, Mapping[str, int]]) -> Cluster:
    return Cluster(
        class_id=row["class_id"],
        number=row["cluster"],
        centre=np.array(row["vector"], np.float32),
        size=row["size"],
        attributes=attributes,
        tags=tuple(row["tags"]),
    )


def _members_of(rows: list[dict[str, Any]], keys: tuple[str, ...], dim: int) -> Members:
    index = {key: i for i, key in enumerate(keys)}
    return Members(
        image=np.array([index[row["image"]] for row in rows], np.int32),
        class_id=np.array([row["class_id"] for row in rows], np.int32),
        cluster=np.array([row["cluster"] for row in rows], np.int32),
        size=np.array([row["size"] for row in rows], np.int32),
        vectors=np.array([row["vector"] for row in rows], np.float32).reshape(len(rows), dim),
    )


def histogram(attributes: Iterable[tuple[Mapping[str, str], int]]) -> dict[str, dict[str, int]]:
    """How often each value of each attribute occurs, given attributes with counts."""
    counts: dict[str, Counter[str]] = {}
    for of_one, times in attributes:
        for name, value in of_one.items():
            counts.setdefault(name, Counter())[value] += times
    return {name: dict(sorted(counter.items())) for name, counter in sorted(counts.items())}
