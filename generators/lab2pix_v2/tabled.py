"""Lab2Pix-V2 for GPUs: its global maps on grids no finer than they have different values."""

import copy

import torch.nn.functional as F
from torch import Tensor, nn

from generators.kernels.activate import activate
from generators.kernels.bare_conv import bias_of, padded_conv
from generators.kernels.modulate import PLACES
from generators.lab2pix_v2.global_encoder import GlobalEncoder
from generators.spectral_norm import bake


class FewPlacesEncoder(nn.Module):
    """The global encoder, whose enlargements end where a 3 x 3 convolution behind its own finds nothing new."""

    def __init__(self, plain: GlobalEncoder, condition_channels: int) -> None:
        super().__init__()
        plain = bake(copy.deepcopy(plain).eval())
        self.down, self.spread = nn.ModuleList(), nn.ModuleList()
        for index, conv in enumerate(plain.down):
            assert isinstance(conv, nn.Conv2d)
            self.down.append(BiasedConv(conv, 0.2, None if index else condition_channels))
        for conv in plain.spread:
            assert isinstance(conv, nn.Conv2d)
            self.spread.append(BiasedConv(conv, 0.0))

    def forward(self, condition_BSHW: Tensor) -> list[Tensor]:
        x_BCHW = condition_BSHW
        for down in self.down:
            x_BCHW = down(x_BCHW)
        sides = [min(2**index, PLACES) for index in range(len(self.spread))]
        enlarged = {side: F.interpolate(x_BCHW, scale_factor=float(side), mode="nearest") for side in set(sides)}
        return [spread(enlarged[side]) for side, spread in zip(sides, self.spread, strict=True)]


class BiasedConv(nn.Module):
    """leaky_relu(convolution + bias), the last two in one step. Further input channels count for nothing."""

    bias: Tensor

    def __init__(self, conv: nn.Conv2d, slope: float, in_channels: int | None = None) -> None:
        super().__init__()
        self.conv, self.slope = padded_conv(conv, inputs=in_channels), slope
        self.register_buffer("bias", bias_of(conv))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return activate(self.conv(x_BCHW), self.bias, self.slope)
