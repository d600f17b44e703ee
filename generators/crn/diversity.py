"""CRN's loss over candidate images: for every class the best candidate learns, and all learn a little."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.crn.features import Compared

_BEST_SHARE = 0.999


def class_errors(fake: Sequence[Compared], real: Sequence[Compared], labels_BKHW: Tensor) -> Tensor:
    """K errors, whose sum is the plain error: each pixel's error goes to the class it shows."""
    errors = torch.zeros(labels_BKHW.shape[1], device=labels_BKHW.device)
    for fake_map, real_map in zip(fake, real, strict=True):
        size = (fake_map.feature_BCHW.shape[-2], fake_map.feature_BCHW.shape[-1])
        shares = F.adaptive_avg_pool2d(labels_BKHW, size)
        distance = (fake_map.feature_BCHW.float() - real_map.feature_BCHW.float()).abs().mean(dim=1, keepdim=True)
        errors = errors + (shares * distance).mean(dim=(0, 2, 3)) / fake_map.divisor
    return errors


def best_candidates(errors_CK: Tensor) -> Tensor:
    """A mostly-best average over candidates; with one candidate it is that one's error."""
    best = errors_CK.min(dim=0).values.sum()
    return _BEST_SHARE * best + (1 - _BEST_SHARE) * errors_CK.sum(dim=1).mean()
