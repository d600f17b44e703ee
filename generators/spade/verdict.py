"""What a conditional discriminator says of an image, and how two verdicts are compared."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Verdict(NamedTuple):
    """Intermediate features, in groups that are summed within and averaged over; and score maps."""

    features: list[list[Tensor]]
    scores: list[Tensor]


def feature_distance(fake: Verdict, real: Verdict) -> Tensor:
    """Feature matching: mean absolute difference, summed within a group, averaged over groups."""
    distances = [
        F.l1_loss(fake_map.float(), real_map.detach().float())
        for fake_group, real_group in zip(fake.features, real.features, strict=True)
        for fake_map, real_map in zip(fake_group, real_group, strict=True)
    ]
    return torch.stack(distances).sum() / len(fake.features)
