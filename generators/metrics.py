"""How well predicted labels agree with true ones."""

import torch
from torch import Tensor


def confusion_matrix(predicted: Tensor, true: Tensor, num_channels: int, void_channels: tuple[int, ...] = ()) -> Tensor:
    """num_channels x num_channels pixel counts, rows true and columns predicted; pixels truly void are left out."""
    if predicted.shape != true.shape:
        raise ValueError(
            f"predicted labels {tuple(predicted.shape)} and true labels {tuple(true.shape)} differ in size"
        )
    predicted, true = predicted.long().flatten(), true.long().flatten()
    if void_channels:
        counted = ~torch.isin(true, torch.tensor(void_channels, device=true.device))
        predicted, true = predicted[counted], true[counted]
    pairs = torch.bincount(true * num_channels + predicted, minlength=num_channels**2)
    return pairs.view(num_channels, num_channels)


def class_iou(confusion: Tensor) -> Tensor:
    """Intersection over union of every class; NaN for classes that are neither true nor predicted anywhere."""
    confusion = confusion.double()
    intersection = confusion.diagonal()
    union = confusion.sum(0) + confusion.sum(1) - intersection
    return intersection / torch.where(union > 0, union, torch.nan)


def mean_iou(confusion: Tensor) -> float:
    """Mean IoU over the classes that truly occur."""
    occurs = confusion.sum(1) > 0
    return float(class_iou(confusion)[occurs].mean())


def pixel_accuracy(confusion: Tensor) -> float:
    """Share of the pixels that are predicted right."""
    return float(confusion.diagonal().sum() / confusion.sum())
