"""Fitting a style bank: the looks of every region of the training images, clustered per class.

The source is read once; what its regions look like goes to a temporary file, over which everything else passes. Memory
holds a sample a class, the centres, and the images that may lend their looks: however large the data set.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin

from generators.style import StyleKind
from pipeline.styles.bank import Cluster, StyleBank, Vector, histogram
from pipeline.styles.lenders import Lenders
from pipeline.styles.regions import ImageLooks
from pipeline.styles.reservoir import Reservoir
from pipeline.styles.spool import LookSpool, Regions

SAMPLE = 10_000  # regions of a class that are clustered together; the others then refine the centres in mini-batches
_SEED = 0


def fit_style_bank(
    looks: Iterable[ImageLooks], kind: StyleKind, dim: int, num_clusters: int = 10, min_area: float = 1 / 64
) -> StyleBank:
    """Read every image's looks once and cluster them, each class by itself."""
    spool, lenders = LookSpool(dim), Lenders(dim)
    try:
        classes = _spooled(looks, spool, lenders, min_area)
        _choose_thresholds(classes, num_clusters)
        _cluster(classes, spool, num_clusters)
        return _bank(classes, spool, lenders, kind, dim)
    finally:
        spool.close()


@dataclass
class _ClassLooks:
    """What is known of one class on the way."""

    areas: Reservoir
    vectors: Reservoir
    min_area: float
    num_large: int = 0
    keeps_equal: bool = False  # whether a region of just `min_area` counts
    centres: Vector = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def counts(self, area: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        return area >= self.min_area if self.keeps_equal else area > self.min_area


def _spooled(
    looks: Iterable[ImageLooks], spool: LookSpool, lenders: Lenders, min_area: float
) -> dict[int, _ClassLooks]:
    classes: dict[int, _ClassLooks] = {}
    rng = np.random.default_rng(_SEED)
    for image in looks:
        regions = spool.add(image)
        lenders.offer(image.key, image.attributes)
        for class_id in np.unique(regions.class_id).tolist():
            known = classes.setdefault(class_id, _ClassLooks(Reservoir(SAMPLE, rng), Reservoir(SAMPLE, rng), min_area))
            area = regions.area[regions.class_id == class_id]
            known.areas.add(area)
            known.num_large += int((area > min_area).sum())
    return dict(sorted(classes.items()))


def _choose_thresholds(classes: Mapping[int, _ClassLooks], num_clusters: int) -> None:
    """Regions larger than `min_area` of the image count, as the authors have it: a small one mixes with its
    surroundings. Where fewer than `num_clusters` are that large (people, poles, distant cars), the larger half counts.
    """
    for known in classes.values():
        if known.num_large < num_clusters:
            known.min_area, known.keeps_equal = float(np.median(known.areas.rows)), True


def _cluster(classes: Mapping[int, _ClassLooks], spool: LookSpool, num_clusters: int) -> None:
    """K-means on a sample of every class; where there are more regions than that, mini-batches of them all follow."""
    for _, known, regions in _counted(classes, spool):
        known.vectors.add(regions.vectors)
    refined: dict[int, MiniBatchKMeans] = {}
    for class_id, known in classes.items():
        sample = known.vectors.rows.astype(np.float64)
        k = min(num_clusters, len(np.unique(sample, axis=0)))
        known.centres = KMeans(n_clusters=k, random_state=_SEED, n_init=4).fit(sample).cluster_centers_
        if known.vectors.seen > SAMPLE:
            refined[class_id] = MiniBatchKMeans(
                k, init=known.centres, n_init=1, random_state=_SEED, reassignment_ratio=0
            ).partial_fit(sample)  # a first mini-batch may not be smaller than k, and a chunk may hold one region
    for class_id, _, regions in _counted({c: classes[c] for c in refined}, spool) if refined else ():
        refined[class_id].partial_fit(regions.vectors.astype(np.float64))
    for class_id, method in refined.items():
        classes[class_id].centres = method.cluster_centers_


def _counted(classes: Mapping[int, _ClassLooks], spool: LookSpool) -> Iterable[tuple[int, _ClassLooks, Regions]]:
    """The regions that count, chunk by chunk and class by class."""
    for chunk in spool.chunks():
        for class_id in np.unique(chunk.class_id).tolist():
            if class_id not in classes:
                continue
            known = classes[class_id]
            regions = chunk.where((chunk.class_id == class_id) & known.counts(chunk.area))
            if len(regions.image):
                yield class_id, known, regions


def _bank(
    classes: Mapping[int, _ClassLooks], spool: LookSpool, lenders: Lenders, kind: StyleKind, dim: int
) -> StyleBank:
    """How large every cluster is, where its regions come from, and who lends them; the largest cluster first."""
    origins: dict[int, list[Counter[int]]] = {c: [Counter() for _ in known.centres] for c, known in classes.items()}
    for class_id, known, regions in _counted(classes, spool):
        numbers = pairwise_distances_argmin(regions.vectors, known.centres.astype(np.float32))
        lenders.add(class_id, numbers, regions)
        for number, origin in zip(numbers.tolist(), regions.origin.tolist(), strict=True):
            origins[class_id][number][origin] += 1
    clusters, renumbered = [], {}
    attributes = spool.origins
    for class_id, known in classes.items():
        sizes = np.array([counts.total() for counts in origins[class_id]])
        order = np.argsort(-sizes, kind="stable")
        renumbered[class_id] = np.argsort(order)
        for number, old in enumerate(order.tolist()):
            counts = histogram((attributes[origin], times) for origin, times in origins[class_id][old].items())
            centre = known.centres[old].astype(np.float32)
            clusters.append(Cluster(class_id, number, centre, int(sizes[old]), counts))
    keys, of_images = lenders.images()
    return StyleBank(kind, dim, tuple(clusters), keys, of_images, lenders.members(renumbered))
