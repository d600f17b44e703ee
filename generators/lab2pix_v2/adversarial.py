"""V2's hinge loss: level by level, weighted by the foreground mask, then over the two scales."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.lab2pix_v1.foreground import pool_mask


def generator_levels(scores: Sequence[Tensor], mask_B1HW: Tensor) -> list[Tensor]:
    return [-_masked_mean(score, mask_B1HW) for score in _own_grids(scores)]


def judged_levels(scores: Sequence[Tensor], mask_B1HW: Tensor, real: bool) -> list[Tensor]:
    sign = -1.0 if real else 1.0
    return [_masked_mean(F.relu(1 + sign * score), mask_B1HW) for score in _own_grids(scores)]


def accumulate(scales: Sequence[Sequence[Tensor]], nested: bool) -> Tensor:
    """Level losses, weighted 1, 1/2, 1/4, over the scales.

    Nested is what the released training does: the division of the second scale falls on the first one too, so that they
    count 1/3 and 1/2. Otherwise every scale counts the same.
    """
    total = scales[0][0].new_zeros(())
    for levels in scales:
        weights = [0.5**level for level in range(len(levels))]
        summed = torch.stack([weight * loss for weight, loss in zip(weights, levels, strict=True)]).sum()
        total = (total + summed) / sum(weights) if nested else total + summed / sum(weights)
    return total / len(scales)


def decimate(image_BCHW: Tensor) -> Tensor:
    """A photograph without its fine detail, to be told as fake: every second pixel, doubled; no filter."""
    return F.interpolate(image_BCHW[..., ::2, ::2], scale_factor=2.0, mode="nearest")


def _own_grids(scores: Sequence[Tensor]) -> list[Tensor]:
    """Undo the doublings that brought every level to the finest grid."""
    return [score[..., :: 2**level, :: 2**level].float() for level, score in enumerate(scores)]


def _masked_mean(values_B1HW: Tensor, mask_B1HW: Tensor) -> Tensor:
    return (values_B1HW * pool_mask(mask_B1HW, values_B1HW)).mean()
