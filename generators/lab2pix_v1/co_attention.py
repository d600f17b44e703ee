"""Label-guided spatial co-attention (LSCA): per pixel, keep the good lower level or take the new higher one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.spade.stages import double


class CoAttention(nn.Module):
    """One mask of a single channel blends the doubled lower level with the higher one."""

    def __init__(self, low_channels: int, high_channels: int, condition_channels: int) -> None:
        super().__init__()
        self.lift = nn.Conv2d(low_channels, high_channels, 3, padding=1)
        self.labels = nn.Conv2d(condition_channels, high_channels, 3, padding=1)
        self.mask = nn.Conv2d(3 * high_channels, 1, 3, padding=1)

    def forward(self, low_BCHW: Tensor, high_BCHW: Tensor, condition_BKHW: Tensor) -> Tensor:
        """`condition_BKHW` has the size of `high_BCHW`, `low_BCHW` half of it."""
        low = F.relu(self.lift(double(low_BCHW)))
        labels = F.instance_norm(F.relu(self.labels(condition_BKHW)))
        seen = torch.cat([F.instance_norm(low), F.instance_norm(high_BCHW), labels], dim=1)
        keep = torch.sigmoid(self.mask(seen))
        return keep * low + (1 - keep) * high_BCHW
