"""Choosing the look of one class: alone, or as one training image lends it to a whole scene."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.scene import Scene
from pipeline.styles.bank import Cluster, StyleBank, Vector
from pipeline.styles.picks import AttributePick, ClusterPick, LikePick, Pick, StylePick, TagPick

_MOST_COMPARED = 256  # images compared when a class is filled in: enough to find a near one, whatever the data set


class Look(NamedTuple):
    """A style vector and where it comes from."""

    vector: Vector
    cluster: int
    image: str  # empty for the centre of a cluster


def independent_look(bank: StyleBank, pick: Pick, class_id: int, rng: np.random.Generator) -> Look | None:
    """The look of one class, chosen without regard to the others; None when the bank has nothing that fits."""
    if isinstance(pick, AttributePick):
        # The centre of a cluster that night and day share is neither; a night image's own mean is night.
        return _look_of_some_row(bank, _rows_of_images(bank, class_id, bank.images_with(pick.attribute)), rng)
    clusters = bank.by_class.get(class_id, ())
    fitting = [c for c in clusters if _fits(c, pick)] or clusters
    if not fitting:
        return None
    sizes = np.ones(len(fitting)) if pick == "uniform" else np.array([c.size for c in fitting], np.float64)
    chosen = fitting[rng.choice(len(fitting), p=sizes / sizes.sum())]
    if bank.searched:
        # The mean of noise is no noise a generator has seen: one of the cluster's own it is.
        return _look_of_some_row(bank, bank.rows_of_cluster(chosen), rng)
    return Look(chosen.centre, chosen.number, "")


def fresh_noise(dim: int, rng: np.random.Generator) -> Look:
    """Noise as training drew it."""
    return Look(rng.standard_normal(dim).astype(np.float32), -1, "")


def _fits(cluster: Cluster, pick: Pick) -> bool:
    if isinstance(pick, ClusterPick):
        return cluster.number == pick.cluster
    if isinstance(pick, TagPick):
        return pick.tag in cluster.tags
    return True


class LendingImage:
    """A training image that lends its look to a scene; what it lacks is filled from the image most like it."""

    def __init__(self, bank: StyleBank, line: StylePick, scene: Scene, rng: np.random.Generator) -> None:
        self._bank = bank
        self._rng = rng
        self._image, self._allowed = _choose_image(bank, line, scene, rng)
        self._fillers: dict[int, npt.NDArray[np.int64]] = {}

    def look(self, class_id: int) -> Look | None:
        """One of the image's looks of this class; None when no allowed image shows the class."""
        rows = self._rows_of_class(self._image, class_id)
        if not len(rows):
            if class_id not in self._fillers:
                self._fillers[class_id] = self._fill(class_id)
            rows = self._fillers[class_id]
        return _look_of_some_row(self._bank, rows, self._rng)

    def _rows_of_class(self, image: int, class_id: int) -> npt.NDArray[np.int64]:
        return _rows_of_images(self._bank, class_id, np.array([image]))

    def _fill(self, class_id: int) -> npt.NDArray[np.int64]:
        members = self._bank.members
        assert members is not None
        rows = _rows_of_images(self._bank, class_id, self._allowed)
        candidates = np.unique(members.image[rows])
        if not len(candidates):
            return np.empty(0, np.int64)
        attributes = self._bank.image_attributes
        mine = attributes[self._image]
        alike = np.array([_agreement(mine, attributes[i]) for i in candidates])
        candidates = candidates[alike == alike.max()]
        if len(candidates) > _MOST_COMPARED:
            candidates = np.sort(self._rng.choice(candidates, _MOST_COMPARED, replace=False))
        distances = [self._distance(int(image)) for image in candidates]
        return self._rows_of_class(int(candidates[int(np.argmin(distances))]), class_id)

    def _distance(self, image: int) -> float:
        mine, other = (_mean_looks(self._bank, i) for i in (self._image, image))
        shared = mine.keys() & other.keys()
        if not shared:
            return float("inf")
        return float(np.mean([np.square(mine[c] - other[c]).sum() for c in sorted(shared)]))


def _choose_image(
    bank: StyleBank, line: StylePick, scene: Scene, rng: np.random.Generator
) -> tuple[int, npt.NDArray[np.int64]]:
    """The lending image, and the images that may fill what it lacks."""
    everything = np.arange(len(bank.image_keys))
    pick = line.pick
    if isinstance(pick, LikePick):
        return _known_image(bank, pick.like), everything
    if pick == "source" and scene.key in bank.image_index:
        return bank.image_index[scene.key], everything
    if pick == "source":
        shared = {k: v for k, v in scene.attributes.items() if v in bank.attribute_values().get(k, ())}
        allowed = bank.images_with(shared)
        allowed = allowed if len(allowed) else everything
    elif isinstance(pick, AttributePick):
        allowed = bank.images_with(pick.attribute)
    elif isinstance(pick, TagPick):
        allowed = _images_tagged(bank, line, scene, pick.tag)
    else:
        allowed = everything
    if not len(allowed):
        raise ValueError(f"no training image of the style bank fits {describe(pick)}")
    return int(rng.choice(allowed)), allowed


def _known_image(bank: StyleBank, key: str) -> int:
    if key not in bank.image_index:
        raise ValueError(f"the style bank has no training image {key!r}")
    return bank.image_index[key]


def _images_tagged(bank: StyleBank, line: StylePick, scene: Scene, tag: str) -> npt.NDArray[np.int64]:
    members = bank.members
    assert members is not None
    rows = [
        row
        for cluster in bank.clusters
        if tag in cluster.tags and (cluster.class_id < 0 or line.covers(scene.catalog.with_id(cluster.class_id).name))
        for row in bank.rows_of_cluster(cluster).tolist()
    ]
    return np.unique(members.image[np.array(rows, np.int64)]).astype(np.int64)


def describe(pick: Pick) -> str:
    """A pick as its author wrote it."""
    return pick if isinstance(pick, str) else str(pick.model_dump())


def _rows_of_images(bank: StyleBank, class_id: int, images: Iterable[int]) -> npt.NDArray[np.int64]:
    rows = bank.rows_of(class_id)
    if bank.members is None or not len(rows):
        return rows
    return rows[np.isin(bank.members.image[rows], np.asarray(images))]


def _look_of_some_row(bank: StyleBank, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> Look | None:
    members = bank.members
    if members is None or not len(rows):
        return None
    sizes = members.size[rows].astype(np.float64)
    row = rows[rng.choice(len(rows), p=sizes / sizes.sum())]
    return Look(members.vectors[row], int(members.cluster[row]), bank.image_keys[members.image[row]])


def _mean_looks(bank: StyleBank, image: int) -> Mapping[int, Vector]:
    members = bank.members
    assert members is not None
    rows = bank.rows_of_image(image)
    classes = members.class_id[rows]
    return {
        int(c): np.average(members.vectors[rows[classes == c]], axis=0, weights=members.size[rows[classes == c]])
        for c in np.unique(classes)
    }


def _agreement(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    return sum(other.get(name) == value for name, value in one.items())
