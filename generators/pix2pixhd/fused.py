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
from generators.conditioning import check_channels, edge_map
from generators.family import Generator
from generators.kernels.instance_norm import moments, normalise, with_border, without_border
from generators.kernels.label_input import encode, widen
from generators.kernels.pixel_groups import PixelGroups
from generators.pix2pixhd.generator import GlobalTrunk, LocalEnhancer, Pix2PixHDGenerator

_AT_A_TIME = 32  # input channels that matrix units take in one go
# Pixels that are convolved as one.
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
        self.shapes_are_fixed = False
        self.requires_grad_(False)

    def fix_shapes(self) -> None:
        self.shapes_are_fixed = True

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        labels_B1HW = labels_BHW.unsqueeze(1).float()
        edges = edge_map(instances_BHW) if self.instance_edges else torch.zeros_like(labels_B1HW)
        return torch.cat([labels_B1HW, edges], dim=1)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        labels_BHW, channels = self._few(condition[:, 0].int())
        *finer, coarsest = self._pyramid(labels_BHW, channels, condition, style)
        x_BCHW = self.trunk(coarsest, 0 if self.enhancers else self.head.border, channels)
        for number, enhancer in enumerate(self.enhancers, start=1):
            border = self.head.border if number == len(self.enhancers) else 0
            x_BCHW = enhancer(finer.pop(), x_BCHW, border, channels)
        image: Tensor = self.head(x_BCHW)
        return image

    def _few(self, labels_BHW: Tensor) -> tuple[Tensor, Tensor | None]:
        """Labels renumbered without those that do not occur, and the input channels that are left; or as they are.

        Matrix units take input channels 32 at a time. Most scenes have fewer classes than that, most catalogs more.
        """
        others = self.instance_edges + self.style_dim
        if self.shapes_are_fixed or self.num_channels + others <= _AT_A_TIME:
            return labels_BHW, None
        labels_N = labels_BHW.flatten().long()
        occurs = labels_N.new_zeros(self.num_channels).scatter_(0, labels_N, 1)
        present = occurs.tolist()  # waits for the device, once a pass
        if sum(present) + others > _AT_A_TIME:
            return labels_BHW, None
        rank = (occurs.cumsum(0) - 1).int()
        kept = [channel for channel, there in enumerate(present) if there]
        kept += range(self.num_channels, self.num_channels + others)
        return rank[labels_N].view(labels_BHW.shape), torch.tensor(kept, device=labels_BHW.device)

    def _pyramid(
        self, labels_BHW: Tensor, channels: Tensor | None, condition: Tensor, style: Tensor | None
    ) -> list[Tensor]:
        """What each level's stem takes, finest first, bordered."""
        labels = self.num_channels
        if channels is not None:
            labels = len(channels) - self.instance_edges - self.style_dim
        others = condition[:, 1 : 1 + self.instance_edges]
        dtype = torch.get_autocast_dtype(condition.device.type) if _reduced(condition) else condition.dtype
        if self.style_dim:
            if style is None:
                style = condition.new_zeros(len(condition), self.style_dim, *condition.shape[2:])
            others = torch.cat([others.to(dtype), style.to(dtype)], dim=1)
        border = self.trunk.border
        levels = [encode(labels_BHW, others, labels, dtype, border)]
        if len(self.enhancers) == 1:
            levels.append(encode(labels_BHW, others, labels, dtype, border, halved=True))
        elif self.enhancers:
            halved = encode(labels_BHW, others, labels, dtype, halved=True)
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

    def forward(
        self, x_BCHW: Tensor, add_BCHW: Tensor | None = None, border: int = 0, channels: Tensor | None = None
    ) -> Tensor:
        """`x` with this unit's own border on; the result with the border of the next. A stem may be told its channels."""
        out = self.conv(x_BCHW) if channels is None else self.conv(x_BCHW, channels)
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
        self.border = _grouped_stem(self.units, gcd(_STEM_GROUP, 2**self.num_downsamplings))

    def forward(self, x_BCHW: Tensor, border: int, channels: Tensor | None) -> Tensor:
        first_up = len(self.units) - self.num_downsamplings
        borders = [*(unit.border for unit in self.units[1:]), border]
        passed = []
        for number, (unit, after) in enumerate(zip(self.units, borders, strict=True)):
            if 1 <= number <= self.num_downsamplings:
                passed.append(x_BCHW)
            also: dict[str, Tensor | None] = {"channels": channels} if number == 0 else {}
            if self.skips and number >= first_up:
                also["add_BCHW"] = passed.pop()
            x_BCHW = unit(x_BCHW, border=after, **also)
        return x_BCHW


class FusedEnhancer(nn.Module):
    """Joins the coarser features in the pass that normalises its own."""

    def __init__(self, plain: LocalEnhancer) -> None:
        super().__init__()
        self.front = nn.ModuleList(_unit(unit) for unit in plain.front)
        self.back = nn.ModuleList(_unit(unit) for unit in plain.back)
        _grouped_stem(self.front, _STEM_GROUP)

    def forward(self, fine_BCHW: Tensor, coarse_BCHW: Tensor, border: int, channels: Tensor | None) -> Tensor:
        stem, down = self.front
        borders = [*(unit.border for unit in self.back), border]
        x_BCHW: Tensor = down(stem(fine_BCHW, border=down.border, channels=channels), coarse_BCHW, borders[0])
        for unit, after in zip(self.back, borders[1:], strict=True):
            x_BCHW = unit(x_BCHW, border=after)
        return x_BCHW


class Head(nn.Module):
    """Three channels and tanh, in float32; a fourth makes pixels of a length that memory likes."""

    def __init__(self, conv: nn.Conv2d, group: int) -> None:
        super().__init__()
        self.border, self.channels = int(conv.padding[0]), conv.out_channels
        assert conv.bias is not None
        self.bias = nn.Parameter(conv.bias.detach().view(-1, 1, 1))
        bare = without_padding(conv)
        bare.weight, bare.bias = nn.Parameter(F.pad(conv.weight.detach(), (0, 0, 0, 0, 0, 0, 0, 1))), None
        bare.out_channels += 1
        self.conv = PixelGroups(bare, group)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.tanh(self.conv(x_BCHW)[:, : self.channels].float() + self.bias)


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


def _grouped_stem(units: nn.ModuleList, group: int) -> int:
    """Make the first unit take aligned channels and some pixels at a time; what border it wants."""
    stem = cast(ConvNorm, units[0])
    stem.conv = PixelGroups(widen(cast(nn.Conv2d, stem.conv)), group)
    return stem.border


def _reduced(x: Tensor) -> bool:
    return torch.is_autocast_enabled(x.device.type)
