"""The (classes + fake)-way cross-entropy of OASIS. Logit 0 is fake, logit k + 1 is class k."""

import torch
import torch.nn.functional as F
from torch import Tensor


def class_weights(labels_BHW: Tensor, num_channels: int, void_channels: tuple[int, ...]) -> Tensor:
    """(all pixels) / (classes present * pixels of the class): rare classes count as much as frequent ones.

    Void classes weigh nothing and are not counted among those present; so do absent classes weigh nothing.
    """
    pixels = torch.bincount(labels_BHW.flatten().long(), minlength=num_channels).float()
    counted = pixels.clone()
    if void_channels:
        counted[list(void_channels)] = 0
    present = (counted > 0).sum().clamp(min=1)
    return torch.where(counted > 0, pixels.sum() / (present * counted.clamp(min=1)), 0.0)


def real_loss(logits_BNHW: Tensor, labels_BHW: Tensor, weights_K: Tensor) -> Tensor:
    """Every pixel told as its own class, balanced over the classes of the batch; mean over all pixels."""
    labels = labels_BHW.long()
    per_pixel = F.cross_entropy(logits_BNHW.float(), labels + 1, reduction="none")
    return (weights_K[labels] * per_pixel).mean()


def fake_loss(logits_BNHW: Tensor) -> Tensor:
    """Every pixel told as fake."""
    return -F.log_softmax(logits_BNHW.float(), dim=1)[:, 0].mean()
