"""The OASIS discriminator: a U-Net that tells for every pixel its class, or that it is fake."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.spectral_norm import spectral

# Multiples of twice the base width on the way down, and of the base width on the way up.
_DOWN = (2, 2, 4, 4, 8, 8)
_UP = (8, 4, 4, 2, 2, 1)


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Module:
    return spectral(nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2))


def _project(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Identity() if in_channels == out_channels else _conv(in_channels, out_channels, 1)


class DownBlock(nn.Module):
    """Halves the grid. The first block sees the image itself: no activation before its first convolution."""

    def __init__(self, in_channels: int, out_channels: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.conv_0 = _conv(in_channels, out_channels, 3)
        self.conv_1 = _conv(out_channels, out_channels, 3)
        self.project = _project(in_channels, out_channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        main = x_BCHW if self.first else F.leaky_relu(x_BCHW, 0.2)
        main = self.conv_1(F.leaky_relu(self.conv_0(main), 0.2))
        # Pooling and a 1 x 1 projection commute: pooled first everywhere, for a quarter of the work.
        shortcut: Tensor = self.project(_halved(x_BCHW))
        return shortcut + _halved(main)


def _halved(x_BCHW: Tensor) -> Tensor:
    """Means of 2 x 2; where a side is odd, its last row or column is of what there is."""
    return F.avg_pool2d(x_BCHW, 2, ceil_mode=True)


class UpBlock(nn.Module):
    """Doubles the grid."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_0 = _conv(in_channels, out_channels, 3)
        self.conv_1 = _conv(out_channels, out_channels, 3)
        self.project = _project(in_channels, out_channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        main = self.conv_0(F.interpolate(F.leaky_relu(x_BCHW, 0.2), scale_factor=2.0, mode="nearest"))
        main = self.conv_1(F.leaky_relu(main, 0.2))
        # A 1 x 1 projection and nearest doubling commute: four times less work this way round.
        shortcut: Tensor = F.interpolate(self.project(x_BCHW), scale_factor=2.0, mode="nearest")
        return shortcut + main


class SegmentingDiscriminator(nn.Module):
    """Logits B x (1 + channels) x H x W: index 0 is fake, index k + 1 is class k."""

    def __init__(self, num_channels: int, base_channels: int = 64) -> None:
        super().__init__()
        down = [3, *(factor * base_channels for factor in _DOWN)]
        up = [factor * base_channels for factor in _UP]
        self.down = nn.ModuleList(
            DownBlock(before, after, first=index == 0) for index, (before, after) in enumerate(itertools.pairwise(down))
        )
        skips = [0, *reversed(down[1:-1])]
        self.up = nn.ModuleList(
            UpBlock(before + skip, after) for before, skip, after in zip([down[-1], *up[:-1]], skips, up, strict=True)
        )
        self.classify = nn.Conv2d(up[-1], num_channels + 1, 1)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        encoded = [image_BCHW]
        for down in self.down:
            encoded.append(down(encoded[-1]))
        x_BCHW = encoded.pop()
        for up in self.up:
            finer = encoded.pop()
            rows, columns = finer.shape[-2:]
            x_BCHW = up(x_BCHW)[..., :rows, :columns]  # what was halved from an odd side is doubled to one more
            if encoded:
                x_BCHW = torch.cat([finer, x_BCHW], dim=1)
        logits: Tensor = self.classify(x_BCHW)
        return logits.float()
