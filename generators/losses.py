"""Losses several families share, over score maps (one a scale) or all maps of a multi-scale discriminator."""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Maps = Sequence[Sequence[Tensor]]  # scales x layers; the last layer is the score


def scores_of(maps: Maps) -> list[Tensor]:
    return [scale[-1] for scale in maps]


def lsgan_generator(fake: Sequence[Tensor]) -> Tensor:
    """Mean (s - 1)^2, summed over scales."""
    return _sum(torch.square(score.float() - 1).mean() for score in fake)


def lsgan_real(real: Sequence[Tensor]) -> Tensor:
    return lsgan_generator(real)


def lsgan_fake(fake: Sequence[Tensor]) -> Tensor:
    """Mean s^2, summed over scales."""
    return _sum(torch.square(score.float()).mean() for score in fake)


def hinge_generator(fake: Sequence[Tensor]) -> Tensor:
    """-mean s, averaged over scales."""
    return -_sum(score.float().mean() for score in fake) / len(fake)


def hinge_real(real: Sequence[Tensor]) -> Tensor:
    """Mean max(0, 1 - s), averaged over scales."""
    return _sum(F.relu(1 - score.float()).mean() for score in real) / len(real)


def hinge_fake(fake: Sequence[Tensor]) -> Tensor:
    """Mean max(0, 1 + s), averaged over scales."""
    return _sum(F.relu(1 + score.float()).mean() for score in fake) / len(fake)


def feature_matching(fake: Maps, real: Maps) -> Tensor:
    """Mean |D_dj(fake) - D_dj(real)| over every map but the scores: summed over layers j, averaged over scales d."""
    distances = (
        F.l1_loss(fake_map.float(), real_map.detach().float())
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for fake_map, real_map in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    )
    return _sum(distances) / len(fake)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, exp(log_variance)) from N(0, 1), summed over batch and dimensions as SPADE trains it."""
    mean, log_variance = mean.float(), log_variance.float()
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()
