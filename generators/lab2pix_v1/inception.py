"""The strided unit between levels of Lab2Pix's discriminators: three ways to halve the grid, summed."""

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spectral_norm import spectral


class NormedUnit(nn.Module):
    """Convolution, instance norm, leaky ReLU. No bias under spectral norm: instance norm would cancel it."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, spectrally: bool = False
    ) -> None:
        super().__init__()
        conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=not spectrally)
        self.conv = spectral(conv) if spectrally else conv

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.leaky_relu(F.instance_norm(self.conv(x_BCHW)), 0.2)


class Inception(nn.Module):
    """Average pool and 1 x 1; 1 x 1 and a strided 3 x 3; 1 x 1, 3 x 3 and a strided 3 x 3."""

    def __init__(self, channels: int, spectrally: bool = False) -> None:
        super().__init__()
        c = channels
        self.pool_branch = nn.Sequential(nn.AvgPool2d(2), NormedUnit(c, c, 1, spectrally=spectrally))
        self.short_branch = nn.Sequential(
            NormedUnit(c, c, 1, spectrally=spectrally), NormedUnit(c, c, 3, 2, spectrally)
        )
        self.long_branch = nn.Sequential(
            NormedUnit(c, c, 1, spectrally=spectrally),
            NormedUnit(c, c, 3, spectrally=spectrally),
            NormedUnit(c, c, 3, 2, spectrally),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out: Tensor = self.pool_branch(x_BCHW) + self.short_branch(x_BCHW) + self.long_branch(x_BCHW)
        return out
