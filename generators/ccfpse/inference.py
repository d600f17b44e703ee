"""CC-FPSE for rendering: the same images up to rounding, without ever holding the kernels of a whole layer."""

import copy
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.ccfpse.block import ConditionalBlock, ConditionalConv, Predictor
from generators.ccfpse.depthwise import TAPS
from generators.ccfpse.generator import CcfpseGenerator
from generators.ccfpse.label_pyramid import steering
from generators.ccfpse.strips import Steered, by_strips, inner
from generators.family import Generator
from generators.spade.stages import double
from generators.spectral_norm import bake

# Kernels of so many channels are predicted, used and thrown away at a time: they stay in the cache.
_CHANNELS_AT_ONCE = 16


class StripwiseCcfpse(Generator):
    """Takes the plain condition. One layout may come with several styles: its kernels are predicted once for all."""

    def __init__(self, plain: CcfpseGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.plain = bake(copy.deepcopy(plain).eval())
        self.blocks = nn.ModuleList(StripwiseBlock(cast(ConditionalBlock, block)) for block in self.plain.blocks)
        self.plain.blocks = nn.ModuleList()
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return self.plain.condition(labels_BHW, instances_BHW)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        levels = iter(self.plain.pyramid(condition))
        steering_BQHW = steering(condition, next(levels))
        x_BCHW = self.plain.begin(condition, style)
        for stage, block in zip(self.plain.stages, self.blocks, strict=True):
            if stage.upsample:
                x_BCHW, steering_BQHW = double(x_BCHW), steering(condition, next(levels))
            x_BCHW = block(x_BCHW, steering_BQHW)
        return self.plain.finish(x_BCHW)


class StripwiseBlock(nn.Module):
    """The conditional-convolution block, its shortcut by strips too."""

    def __init__(self, plain: ConditionalBlock) -> None:
        super().__init__()
        self.conv_0, self.conv_1 = StripwiseConv(plain.conv_0), StripwiseConv(plain.conv_1)
        self.norm_s, self.conv_s = plain.norm_s, plain.conv_s

    def forward(self, x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
        main: Tensor = self.conv_1(self.conv_0(x_BCHW, steering_BQHW), steering_BQHW)
        return main.add_(x_BCHW if self.norm_s is None else by_strips(self._shortcut, x_BCHW, steering_BQHW))

    def _shortcut(self, x_BCHW: Tensor, steered: Steered) -> Tensor:
        assert self.norm_s is not None
        assert self.conv_s is not None
        hidden = steered(self.norm_s.shared)
        scale, shift = inner(self.norm_s.scale, hidden), inner(self.norm_s.shift, hidden)
        shortcut: Tensor = self.conv_s(torch.addcmul(shift, self.norm_s.norm(x_BCHW[:, :, 1:-1]), scale.add_(1)))
        return shortcut


class StripwiseConv(nn.Module):
    """A conditional convolution, its kernels predicted some rows and channels at a time."""

    def __init__(self, plain: ConditionalConv) -> None:
        super().__init__()
        self.norm, self.mix, self.gates = plain.norm, plain.mix, plain.gates
        self.first = plain.kernels.first
        self.pieces = nn.ModuleList(_pieces(plain.kernels))

    def forward(self, x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
        # Normalised before it is padded: outside the image the depthwise convolution sees zeros, not shifted zeros.
        return by_strips(self._convolve, self.norm(x_BCHW), steering_BQHW)

    def _convolve(self, x_BCHW: Tensor, steered: Steered) -> Tensor:
        filtered = self._filter(steered(self.first), x_BCHW)
        gates = torch.sigmoid(inner(self.gates.second, steered(self.gates.first)))
        return F.leaky_relu_(self.mix(filtered) * gates, 0.2)

    def _filter(self, hidden_BDHW: Tensor, x_BCHW: Tensor) -> Tensor:
        rows, columns = x_BCHW.shape[2] - 2, x_BCHW.shape[3]
        padded = F.pad(x_BCHW, (1, 1, 0, 0))
        filtered = torch.empty_like(x_BCHW[:, :, 1:-1])
        for index, piece in enumerate(self.pieces):
            taps = inner(cast(nn.Conv2d, piece), hidden_BDHW).chunk(TAPS, dim=1)
            channels = slice(index * _CHANNELS_AT_ONCE, (index + 1) * _CHANNELS_AT_ONCE)
            here = padded[:, channels]
            total = taps[0] * here[..., :rows, :columns]
            for tap in range(1, TAPS):
                row, column = divmod(tap, 3)
                total.addcmul_(taps[tap], here[..., row : row + rows, column : column + columns])
            filtered[:, channels] = total
        return filtered


def _pieces(predictor: Predictor) -> list[nn.Conv2d]:
    """The second convolution by groups of channels; tap by tap, so that a tap's channels lie together in memory."""
    second = predictor.second
    assert second.bias is not None
    pieces = []
    for outputs in torch.split(torch.arange(second.out_channels), TAPS * _CHANNELS_AT_ONCE):
        order = outputs.view(-1, TAPS).t().flatten()
        piece = nn.Conv2d(second.in_channels, len(order), 3)
        piece.weight.data = second.weight.detach()[order]
        piece.bias = nn.Parameter(second.bias.detach()[order])
        pieces.append(piece)
    return pieces
