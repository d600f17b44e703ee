"""V1's adversarial loss: cross-entropy on every level of a discriminator, weighted by the foreground mask."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.lab2pix_v1.foreground import pool_mask


def level_weights(levels: int) -> list[float]:
    """1, 1/2, 1/4 ..., divided by their sum."""
    weights = [0.5**level for level in range(levels)]
    return [weight / sum(weights) for weight in weights]


def judge_levels(scores: Sequence[Tensor], real: bool, mask_B1HW: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of the logits against real or fake; the mask weighs places of generated images only."""
    losses = []
    for weight, score in zip(level_weights(len(scores)), (score.float() for score in scores), strict=True):
        per_place = F.binary_cross_entropy_with_logits(score, torch.full_like(score, float(real)), reduction="none")
        if mask_B1HW is not None:
            per_place = per_place * pool_mask(mask_B1HW, score)
        losses.append(weight * per_place.mean())
    return torch.stack(losses).sum()


def soften(image_BCHW: Tensor) -> Tensor:
    """A photograph without its fine detail, to be told as fake: average over 2 x 2, then doubled."""
    return F.interpolate(F.avg_pool2d(image_BCHW, 2), scale_factor=2.0, mode="nearest")
