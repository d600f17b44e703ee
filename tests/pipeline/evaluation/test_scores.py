"""Scores against torchmetrics, which computes them another way."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

from pipeline.evaluation.scores import Tally


def test_scores_are_those_of_torchmetrics(flat_catalog):
    rng = np.random.default_rng(0)
    ids = np.array([1, 2, 3], np.uint8)
    labels = ids[rng.integers(3, size=(40, 50))]
    found = np.where(rng.random(labels.shape) < 0.7, flat_catalog.channel_of[labels], 0).astype(np.uint16)
    tally = Tally(flat_catalog, (3,))
    tally.add(found[:20], labels[:20])
    tally.add(found[20:], labels[20:])
    scores = tally.scores()
    predicted = torch.from_numpy(found.astype(np.int64))
    true = torch.from_numpy(flat_catalog.channel_of[labels].astype(np.int64))
    assert scores.mean_iou == pytest.approx(float(MulticlassJaccardIndex(3)(predicted, true)))
    each = MulticlassAccuracy(3, average="none")(predicted, true).tolist()
    assert list(scores.class_accuracy.values()) == pytest.approx(each)


def test_classes_that_never_occur_are_left_out_of_the_mean_and_named(flat_catalog):
    tally = Tally(flat_catalog, (3,))
    tally.add(np.array([[0, 2]], np.uint16), np.array([[1, 1]], np.uint8))
    scores = tally.scores()
    assert scores.class_iou == {"road": 0.5}
    assert scores.mean_iou == 0.5
    assert scores.absent == ("sky", "car")


def test_nothing_but_void_cannot_be_scored(flat_catalog):
    tally = Tally(flat_catalog, (3,))
    tally.add(np.zeros((2, 2), np.uint16), np.full((2, 2), 9, np.uint8))
    with pytest.raises(ValueError, match=r"^no pixel of any class that counts: nothing to score$"):
        tally.scores()
