"""The weight-prediction pyramid: labels alone, gathered bottom-up and spread top-down, steer every kernel."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.spade.stages import double
from generators.spectral_norm import spectral


class LabelUnit(nn.Module):
    """Spectrally normalised convolution without bias, affine batch norm, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = spectral(
            nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False)
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x_BCHW)), 0.2)


class LabelPyramid(nn.Module):
    """`levels` encodings at strides 1, 2, 4 ...; returns as many maps, coarsest first."""

    def __init__(self, condition_channels: int, width: int, levels: int) -> None:
        super().__init__()
        self.encode = nn.ModuleList([LabelUnit(condition_channels, width, 3)])
        self.encode.extend(LabelUnit(width, width, 3, stride=2) for _ in range(levels - 1))
        self.lateral = nn.ModuleList(LabelUnit(width, width, 1) for _ in range(levels - 1))
        self.decode = nn.ModuleList(LabelUnit(width, width, 3) for _ in range(levels - 1))

    def forward(self, condition_BSHW: Tensor) -> list[Tensor]:
        encoded = []
        x = condition_BSHW
        for encode in self.encode:
            x = encode(x)
            encoded.append(x)
        top_down = [encoded.pop()]
        for lateral, decode, level in zip(self.lateral, self.decode, reversed(encoded), strict=True):
            top_down.append(decode(double(top_down[-1]) + lateral(level)))
        return top_down


def steering(condition_BSHW: Tensor, level_BCHW: Tensor) -> Tensor:
    """What steers one block: the labels at its size beside its level of the pyramid."""
    labels = F.interpolate(condition_BSHW, size=level_BCHW.shape[-2:], mode="nearest")
    return torch.cat([labels, level_BCHW], dim=1)
