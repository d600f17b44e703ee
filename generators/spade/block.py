"""The SPADE residual block, shared by SPADE, OASIS and Lab2Pix-V2."""

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spade.modulation import Spade
from generators.spectral_norm import spectral


class SpadeBlock(nn.Module):
    """Two modulated convolutions beside a shortcut, which is modulated and projected where the width changes."""

    def __init__(self, in_channels: int, out_channels: int, condition_channels: int, hidden: int = 128) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_0 = Spade(in_channels, condition_channels, hidden)
        self.conv_0 = spectral(nn.Conv2d(in_channels, middle, 3, padding=1))
        self.norm_1 = Spade(middle, condition_channels, hidden)
        self.conv_1 = spectral(nn.Conv2d(middle, out_channels, 3, padding=1))
        self.norm_s: Spade | None = None
        self.conv_s: nn.Module | None = None
        if in_channels != out_channels:
            self.norm_s = Spade(in_channels, condition_channels, hidden)
            self.conv_s = spectral(nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x_BCHW: Tensor, condition_BSHW: Tensor, global_map_BDHW: Tensor | None = None) -> Tensor:
        """`condition_BSHW` and the optional global map already have the size of `x_BCHW`."""
        main = self.conv_0(F.leaky_relu(self.norm_0(x_BCHW, condition_BSHW, global_map_BDHW), 0.2))
        main = self.conv_1(F.leaky_relu(self.norm_1(main, condition_BSHW, global_map_BDHW), 0.2))
        return self.shortcut(x_BCHW, condition_BSHW) + main

    def shortcut(self, x_BCHW: Tensor, condition_BSHW: Tensor) -> Tensor:
        # The global map of DG-Norm never reaches the shortcut.
        if self.norm_s is None or self.conv_s is None:
            return x_BCHW
        shortcut: Tensor = self.conv_s(self.norm_s(x_BCHW, condition_BSHW))
        return shortcut
