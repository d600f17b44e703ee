"""How well label maps are found again in images: a confusion matrix that grows, and what is read from it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from generators.metrics import class_iou, confusion_matrix, pixel_accuracy
from generators.segmenter import SegmentationNetwork, predict
from label_editing.catalog import Catalog
from label_editing.scene import LabelMap
from pipeline.training.data import PairReader

_WEAK = 0.15  # mean IoU on real images under which a judge has hardly learned anything
Groups = Mapping[str, Collection[int]]  # name -> indices of scenes


@dataclass(frozen=True)
class Scores:
    """Means over the classes that truly occur; the others are left out and named."""

    mean_iou: float
    pixel_accuracy: float
    class_iou: dict[str, float]
    class_accuracy: dict[str, float]
    absent: tuple[str, ...]  # classes that occur in no label map

    def as_data(self) -> dict[str, Any]:
        """As it stands in result files."""
        return {**vars(self), "absent": list(self.absent)}


def note_of_weakness(of_real: Scores) -> str:
    """A word of warning where a judge finds next to nothing in real images; empty where it does."""
    if of_real.mean_iou >= _WEAK:
        return ""
    return (
        f"the judge itself has a mean IoU of {of_real.mean_iou:.0%} on real images: what it finds in others says "
        "little; teach it for longer (--judge-steps)"
    )


class Tally:
    """A confusion matrix over the channels of a catalog that grows image by image; rows are true."""

    def __init__(self, catalog: Catalog, ignored: tuple[int, ...]) -> None:
        self.catalog, self._ignored = catalog, ignored
        self.confusion = torch.zeros(catalog.num_channels, catalog.num_channels, dtype=torch.int64)

    def add(self, found: npt.NDArray[np.uint16], labels: LabelMap) -> None:
        """Count one predicted channel map against its label map."""
        true = torch.from_numpy(self.catalog.channel_of[labels].astype(np.int64))
        predicted = torch.from_numpy(found.astype(np.int64))
        self.confusion += confusion_matrix(predicted, true, self.catalog.num_channels, self._ignored)

    def merge(self, other: "Tally") -> None:
        """Count all that another counted."""
        self.confusion += other.confusion

    def scores(self) -> Scores:
        """What the counts say; ValueError when nothing was counted."""
        true = self.confusion.sum(1)
        occurs = true > 0
        if not occurs.any():
            raise ValueError("no pixel of any class that counts: nothing to score")
        iou = class_iou(self.confusion)
        accuracy = self.confusion.diagonal().double() / true.clamp(min=1)
        counted = [(rank, c.name) for rank, c in enumerate(self.catalog.classes) if rank not in self._ignored]
        return Scores(
            mean_iou=float(iou[occurs].mean()),
            pixel_accuracy=pixel_accuracy(self.confusion),
            class_iou={name: float(iou[rank]) for rank, name in counted if occurs[rank]},
            class_accuracy={name: float(accuracy[rank]) for rank, name in counted if occurs[rank]},
            absent=tuple(name for rank, name in counted if not occurs[rank]),
        )


def score_pairs(
    network: SegmentationNetwork,
    pairs: PairReader,
    catalog: Catalog,
    ignored: tuple[int, ...],
    groups: Groups,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, Scores]:
    """How well the network segments the photographs of each group; ValueError for one with nothing to score."""
    tallies = {group: Tally(catalog, ignored) for group in groups}
    members = {group: frozenset(indices) for group, indices in groups.items()}
    for index in range(len(pairs)):
        pair = pairs.pair(index)
        found = predict(network, pair.image[None])[0]
        for group, tally in tallies.items():
            if index in members[group]:
                tally.add(found, catalog.id_of[pair.labels])
        advance()
    return {group: tally.scores() for group, tally in tallies.items()}
