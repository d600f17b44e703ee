"""Confusion, IoU and accuracy on a case small enough for paper."""

import pytest
import torch

from generators.metrics import class_iou, confusion_matrix, mean_iou, pixel_accuracy

TRUE = torch.tensor([[0, 0, 1], [1, 3, 3]])
PREDICTED = torch.tensor([[0, 1, 1], [2, 0, 1]])


def test_confusion_counts_rows_true_and_columns_predicted():
    assert confusion_matrix(PREDICTED, TRUE, 4).tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_pixels_truly_void_are_left_out():
    confusion = confusion_matrix(PREDICTED, TRUE, 4, void_channels=(3,))
    assert confusion.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert pixel_accuracy(confusion) == pytest.approx(0.5)


def test_classes_that_do_not_occur_are_left_out_of_the_mean():
    confusion = confusion_matrix(PREDICTED, TRUE, 5, void_channels=(3,))
    iou = class_iou(confusion)
    assert iou[:3].tolist() == pytest.approx([1 / 2, 1 / 3, 0.0])
    assert iou[3:].isnan().all()
    # Class 2 is predicted but never true: it costs class 1, and has no IoU of its own to average.
    assert mean_iou(confusion) == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_maps_of_different_size_are_refused():
    with pytest.raises(ValueError, match=r"^predicted labels \(2, 3\) and true labels \(3, 2\) differ in size$"):
        confusion_matrix(PREDICTED, TRUE.t(), 4)
