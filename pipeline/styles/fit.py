"""Fitting a style bank: the looks of every region of the training images, clustered per class."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans

from generators.style import StyleKind
from pipeline.styles.bank import Cluster, Members, StyleBank, Vector, histogram
from pipeline.styles.regions import ImageLooks

_MINI_BATCH_FROM = 10_000  # regions; below, plain K-means takes a second
_SEED = 0


class _Regions(NamedTuple):
    """All regions of one class."""

    image: npt.NDArray[np.int32]
    vectors: Vector
    area: npt.NDArray[np.float64]


def spread(keys: Sequence[str], most: int) -> list[str]:
    """At most so many keys, evenly over the source."""
    if len(keys) <= most:
        return list(keys)
    return [keys[index] for index in np.linspace(0, len(keys) - 1, most).round().astype(int)]


def fit_style_bank(
    looks: Iterable[ImageLooks], kind: StyleKind, dim: int, num_clusters: int = 10, min_area: float = 1 / 64
) -> StyleBank:
    """Read every image's looks once and cluster them, each class by itself."""
    images = list(looks)
    classes = sorted({int(c) for image in images for c in image.class_id})
    attributes = tuple(dict(image.attributes) for image in images)
    clusters: list[Cluster] = []
    members: list[Members] = []
    for class_id in classes:
        regions = large_regions(_of_class(images, class_id), num_clusters, min_area)
        numbers, centres = _cluster(regions.vectors, num_clusters)
        members.append(_members(class_id, regions, numbers))
        for number, centre in enumerate(centres):
            inside = regions.image[numbers == number].tolist()
            counts = histogram((attributes[image], 1) for image in inside)
            clusters.append(Cluster(class_id, number, centre, len(inside), counts))
    return StyleBank(kind, dim, tuple(clusters), tuple(i.key for i in images), attributes, _joined(members, dim))


def large_regions(regions: _Regions, num_clusters: int, min_area: float) -> _Regions:
    """Regions larger than `min_area` of the image, as the authors keep them: a small one mixes with its surroundings.

    Where fewer than `num_clusters` are that large (people, poles, distant cars), the larger half of the class is kept.
    """
    kept = regions.area > min_area
    if int(kept.sum()) < num_clusters:
        kept = regions.area >= np.median(regions.area)
    return _Regions(regions.image[kept], regions.vectors[kept], regions.area[kept])


def _of_class(images: Sequence[ImageLooks], class_id: int) -> _Regions:
    found = [(index, image, image.class_id == class_id) for index, image in enumerate(images)]
    found = [(index, image, mask) for index, image, mask in found if mask.any()]
    return _Regions(
        np.concatenate([np.full(mask.sum(), index, np.int32) for index, _, mask in found]),
        np.concatenate([image.vectors[mask] for _, image, mask in found]).astype(np.float32),
        np.concatenate([image.area[mask] for _, image, mask in found]),
    )


def _cluster(vectors: Vector, num_clusters: int) -> tuple[npt.NDArray[np.int64], Vector]:
    """A cluster number per vector and the centres, the largest cluster first."""
    k = min(num_clusters, len(np.unique(vectors, axis=0)))
    method = MiniBatchKMeans if len(vectors) >= _MINI_BATCH_FROM else KMeans
    found = method(n_clusters=k, random_state=_SEED, n_init=4).fit(vectors.astype(np.float64))
    order = np.argsort(-np.bincount(found.labels_, minlength=k), kind="stable")
    return np.argsort(order)[found.labels_], found.cluster_centers_[order].astype(np.float32)


def _members(class_id: int, regions: _Regions, numbers: npt.NDArray[np.int64]) -> Members:
    """One row per image and cluster: the mean over the image's regions, larger ones counting more."""
    places = np.stack([regions.image, numbers.astype(np.int32)], axis=1)
    rows, row_of, size = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    row_of = row_of.reshape(-1)
    weight = np.bincount(row_of, regions.area, len(rows))
    sums = np.stack([np.bincount(row_of, regions.area * column, len(rows)) for column in regions.vectors.T], axis=1)
    return Members(
        image=rows[:, 0].astype(np.int32),
        class_id=np.full(len(rows), class_id, np.int32),
        cluster=rows[:, 1].astype(np.int32),
        size=size.astype(np.int32),
        vectors=(sums / weight[:, None]).astype(np.float32),
    )


def _joined(parts: Sequence[Members], dim: int) -> Members | None:
    if not parts:
        return None
    return Members(
        image=np.concatenate([p.image for p in parts]),
        class_id=np.concatenate([p.class_id for p in parts]),
        cluster=np.concatenate([p.cluster for p in parts]),
        size=np.concatenate([p.size for p in parts]),
        vectors=np.concatenate([p.vectors for p in parts]).reshape(-1, dim),
    )
