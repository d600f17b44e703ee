"""pix2pixHD rewritten for rendering on a GPU: the same images up to rounding, in two passes between convolutions.

Labels reach the first convolution as one tensor, made in one go. Every later convolution finds its input normalised,
rectified, summed and with its reflected border on, so that it needs neither padding nor a copy.
"""

import copy
from collections.abc import Sequence
from math import gcd
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.blocks import InstanceNorm, ResidualBlock
from generators.conditioning import labels_and_edges
from generators.family import Generator
from generators.kernels.instance_norm import moments, normalise, with_border, without_border
from generators.kernels.label_input import encode, widen
from generators.kernels.row_conv import RowConv
from generators.pix2pixhd.generator import GlobalTrunk, LocalEnhancer, Pix2PixHDGenerator

# Neighbouring pixels that are computed as one.
_STEM_GROUP, _HEAD_GROUP = 2, 8


class FusedPix2PixHD(Generator):
    """Its condition is labels and edges, B x 2 x H x W."""

    def __init__(self, plain: Pix2PixHDGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.num_channels, self.instance_edges = plain.num_channels, plain.instance_edges
        plain = copy.deepcopy(plain).eval()
        self.trunk = FusedTrunk(plain.trunk)
        self.enhancers = nn.ModuleList(FusedEnhancer(cast(LocalEnhancer, one)) for one in plain.enhancers)
        self.head = Head(cast(nn.Conv2d, plain.head[0]), gcd(_HEAD_GROUP, self.stride))
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return labels_and_edges(labels_BHW, instances_BHW, self.num_channels, self.instance_edges)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        *finer, coarsest = self._pyramid(condition, style)
        x_BCHW = self.trunk(coarsest, 0 if self.enhancers else self.head.border)
        for number, enhancer in enumerate(self.enhancers, start=1):
            border = self.head.border if number == len(self.enhancers) else 0
            x_BCHW = enhancer(finer.pop(), x_BCHW, border)
        image: Tensor = self.head(x_BCHW)
        return image

    def _pyramid(self, condition: Tensor, style: Tensor | None) -> list[Tensor]:
        """What each level's stem takes, finest first, bordered."""
        labels_BHW = condition[:, 0].int()
        others = condition[:, 1 : 1 + self.instance_edges]
        dtype = torch.get_autocast_dtype(condition.device.type) if _reduced(condition) else condition.dtype
        if self.style_dim:
            if style is None:
                style = condition.new_zeros(len(condition), self.style_dim, *condition.shape[2:])
            others = torch.cat([others.to(dtype), style.to(dtype)], dim=1)
        border = self.trunk.border
        levels = [encode(labels_BHW, others, self.num_channels, dtype, border)]
        if len(self.enhancers) == 1:
            levels.append(encode(labels_BHW, others, self.num_channels, dtype, border, halved=True))
        elif self.enhancers:
            halved = encode(labels_BHW, others, self.num_channels, dtype, halved=True)
            levels.append(with_border(halved, border))
            for _ in self.enhancers[1:]:
                halved = F.avg_pool2d(halved, 3, stride=2, padding=1, count_include_pad=False)
                levels.append(with_border(halved, border))
        return levels


class ConvNorm(nn.Module):
    """Convolution and instance norm, ReLU or not, and whatever else the second pass over the result can do."""

    def __init__(self, conv: nn.Module, norm: InstanceNorm, rectify: bool) -> None:
        super().__init__()
        self.rectify, self.eps = rectify, norm.eps
        last = conv[-1] if isinstance(conv, nn.Sequential) else conv
        assert isinstance(last, (nn.Conv2d, nn.ConvTranspose2d))
        self.over_layer = norm.groups != last.out_channels
        if not self.over_layer:
            last.bias = None  # the norm shifts back what it shifts
        self.conv, self.border = conv, 0
        if isinstance(conv, nn.Conv2d) and conv.padding_mode == "reflect":
            self.conv, self.border = without_padding(conv), int(conv.padding[0])

    def forward(self, x_BCHW: Tensor, add_BCHW: Tensor | None = None, border: int = 0) -> Tensor:
        """`x` with this unit's own border on; the result with the border of the next."""
        out = self.conv(x_BCHW)
        return normalise(out, moments(out, self.eps, self.over_layer), self.rectify, add_BCHW, border)


class FusedResidual(nn.Module):
    """The residual block; its input's border belongs to its first convolution."""

    def __init__(self, plain: ResidualBlock) -> None:
        super().__init__()
        conv_0, norm_0, _, conv_1, norm_1 = plain.residual
        self.first, self.second = ConvNorm(conv_0, _norm(norm_0), True), ConvNorm(conv_1, _norm(norm_1), False)
        self.border = self.first.border

    def forward(self, x_BCHW: Tensor, border: int = 0) -> Tensor:
        inner = self.first(x_BCHW, border=self.second.border)
        out: Tensor = self.second(inner, without_border(x_BCHW, self.border), border)
        return out


class FusedTrunk(nn.Module):
    """G1 without its head."""

    def __init__(self, plain: GlobalTrunk) -> None:
        super().__init__()
        self.units = nn.ModuleList(_unit(unit) for unit in plain)
        self.num_downsamplings, self.skips = plain.num_downsamplings, plain.skips
        self.border = _row_stem(self.units, gcd(_STEM_GROUP, 2**self.num_downsamplings))

    def forward(self, x_BCHW: Tensor, border: int) -> Tensor:
        first_up = len(self.units) - self.num_downsamplings
        borders = [*(unit.border for unit in self.units[1:]), border]
        passed = []
        for number, (unit, after) in enumerate(zip(self.units, borders, strict=True)):
            if 1 <= number <= self.num_downsamplings:
                passed.append(x_BCHW)
            add = {"add_BCHW": passed.pop()} if self.skips and number >= first_up else {}
            x_BCHW = unit(x_BCHW, border=after, **add)
        return x_BCHW


class FusedEnhancer(nn.Module):
    """Joins the coarser features in the pass that normalises its own."""

    def __init__(self, plain: LocalEnhancer) -> None:
        super().__init__()
        self.front = nn.ModuleList(_unit(unit) for unit in plain.front)
        self.back = nn.ModuleList(_unit(unit) for unit in plain.back)
        _row_stem(self.front, _STEM_GROUP)

    def forward(self, fine_BCHW: Tensor, coarse_BCHW: Tensor, border: int) -> Tensor:
        stem, down = self.front
        borders = [*(unit.border for unit in self.back), border]
        x_BCHW: Tensor = down(stem(fine_BCHW, border=down.border), coarse_BCHW, borders[0])
        for unit, after in zip(self.back, borders[1:], strict=True):
            x_BCHW = unit(x_BCHW, border=after)
        return x_BCHW


class Head(RowConv):
    """RGB and tanh, in float32."""

    def __init__(self, conv: nn.Conv2d, group: int) -> None:
        super().__init__(without_padding(conv), group, squash=True)
        self.border = int(conv.padding[0])


def without_padding(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution for input that has its border on already."""
    bare = copy.deepcopy(conv)
    bare.padding, bare.padding_mode = (0, 0), "zeros"
    bare._reversed_padding_repeated_twice = [0, 0, 0, 0]
    return bare


def _unit(plain: nn.Module) -> "ConvNorm | FusedResidual":
    if isinstance(plain, ResidualBlock):
        return FusedResidual(plain)
    conv, norm, _ = cast(Sequence[nn.Module], plain)
    return ConvNorm(conv, _norm(norm), True)


def _norm(module: nn.Module) -> InstanceNorm:
    assert isinstance(module, InstanceNorm)
    return module


def _row_stem(units: nn.ModuleList, group: int) -> int:
    """Make the first unit, whose input has few channels, take them row by row; what border it wants."""
    stem = cast(ConvNorm, units[0])
    stem.conv = RowConv(widen(cast(nn.Conv2d, stem.conv)), group)
    return stem.border


def _reduced(x: Tensor) -> bool:
    return torch.is_autocast_enabled(x.device.type)
