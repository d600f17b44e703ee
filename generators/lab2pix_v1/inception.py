"""The strided unit between levels of Lab2Pix's discriminators: three ways to halve the grid, summed."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spectral_norm import spectral

Norm = Literal["instance", "layer"]


def normalise(x_BCHW: Tensor, norm: Norm) -> Tensor:
    """Every channel of an image alone, or all of them together: only then do colours and contrast remain to be seen."""
    return F.instance_norm(x_BCHW) if norm == "instance" else F.group_norm(x_BCHW, 1)


class NormedUnit(nn.Module):
    """Convolution, norm, leaky ReLU. No bias under spectral norm: instance norm would cancel it."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        spectrally: bool = False,
        norm: Norm = "instance",
    ) -> None:
        super().__init__()
        self.norm: Norm = norm
        conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=not spectrally)
        self.conv = spectral(conv) if spectrally else conv

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.leaky_relu(normalise(self.conv(x_BCHW), self.norm), 0.2)


class Inception(nn.Module):
    """Average pool and 1 x 1; 1 x 1 and a strided 3 x 3; 1 x 1, 3 x 3 and a strided 3 x 3."""

    def __init__(self, channels: int, spectrally: bool = False, norm: Norm = "instance") -> None:
        super().__init__()

        def unit(kernel: int, stride: int = 1) -> NormedUnit:
            return NormedUnit(channels, channels, kernel, stride, spectrally, norm)

        self.pool_branch = nn.Sequential(nn.AvgPool2d(2), unit(1))
        self.short_branch = nn.Sequential(unit(1), unit(3, 2))
        self.long_branch = nn.Sequential(unit(1), unit(3), unit(3, 2))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out: Tensor = self.pool_branch(x_BCHW) + self.short_branch(x_BCHW) + self.long_branch(x_BCHW)
        return out
