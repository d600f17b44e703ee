"""The global encoder of DG-Norm: what the whole layout says, brought to every scale."""

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spectral_norm import spectral

# Multiples of the base width; every convolution but the first halves the grid.
_WIDTHS = (1, 2, 4, 8, 8, 8, 8, 8)


class GlobalEncoder(nn.Module):
    """Label map to one `hidden`-channel map a generator scale, coarsest first."""

    def __init__(self, condition_channels: int, base_channels: int, hidden: int, scales: int) -> None:
        super().__init__()
        widths = [condition_channels, *(factor * base_channels for factor in _WIDTHS[:scales])]
        self.down = nn.ModuleList(
            spectral(nn.Conv2d(before, after, 3, stride=1 if index == 0 else 2, padding=1))
            for index, (before, after) in enumerate(itertools.pairwise(widths))
        )
        self.spread = nn.ModuleList(nn.Conv2d(widths[-1], hidden, 3, padding=1) for _ in range(scales))

    def forward(self, condition_BSHW: Tensor) -> list[Tensor]:
        x_BCHW = condition_BSHW
        for down in self.down:
            x_BCHW = F.leaky_relu(down(x_BCHW), 0.2)
        return [
            F.relu(spread(F.interpolate(x_BCHW, scale_factor=float(2**index), mode="nearest")))
            for index, spread in enumerate(self.spread)
        ]
