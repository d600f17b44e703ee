"""CC-FPSE for GPUs: large convolutions without biases, and one pass over memory for all that lies between two of them.

The same images as the plain network up to rounding. Of its multiplications nearly all predict kernels from labels, and
the pyramid over the labels sees so far that no two pixels share them: what is left to save is everything else.
"""

import copy
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.ccfpse.block import ConditionalBlock, ConditionalConv, Predictor
from generators.ccfpse.codes import Codes
from generators.ccfpse.generator import CcfpseGenerator
from generators.ccfpse.label_conv import LabelConv
from generators.ccfpse.label_pyramid import LabelPyramid, LabelUnit
from generators.ccfpse.pieces import evenly, pieces
from generators.family import Generator
from generators.kernels.activate import activate
from generators.kernels.bare_conv import conv_of, padded_conv, whole_groups
from generators.kernels.gated import gated
from generators.kernels.per_pixel import TAPS, PerPixel, filter_per_pixel
from generators.kernels.scaled import scale_and_shift
from generators.kernels.tiles import empty_map, packed
from generators.layout import Layout
from generators.spade.folded import fold
from generators.spade.modulation import Spade
from generators.spade.start import LabelStart
from generators.spectral_norm import bake
from generators.style import StyleKind

# (what, compute) -> the result, kept where the layout has room.
Once = Callable[[Hashable, Callable[[], Tensor]], Tensor]
# Of images that go through a block together: no map of it comes near 2^31 numbers, from where on libraries are slow.
_PIXELS_TOGETHER = 2**22


class Labels(NamedTuple):
    """How labels come as codes, so that convolutions look them up."""

    num_classes: int
    edges: bool

    def conv(self, convs: Sequence[nn.Conv2d], slope: float) -> LabelConv:
        """These convolutions, which see the labels first of all, as one."""
        biases = [cast(Tensor, conv.bias) for conv in convs]
        return LabelConv([conv.weight for conv in convs], biases, self.num_classes, self.edges, slope)


class Grid(NamedTuple):
    """What steers the layers of one size, and whether activations come at half of it, to be doubled."""

    codes_B1HW: Tensor
    level_BCHW: Tensor
    doubles: bool

    def of(self, images: slice) -> "Grid":
        return Grid(self.codes_B1HW[images], self.level_BCHW[images], self.doubles)


class FusedCcfpse(Generator):
    """Its condition is codes."""

    rgb_bias: Tensor

    def __init__(self, plain: CcfpseGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.shares_layouts = self.style_kind is not StyleKind.NONE
        self.codes = Codes(plain.num_channels, plain.instance_edges)
        self.stages = plain.stages
        plain = bake(copy.deepcopy(plain).eval())
        labels = Labels(*self.codes)
        start = plain.start
        self.start = labels.conv([start.conv], slope=1.0) if isinstance(start, LabelStart) else start
        self.pyramid = FusedPyramid(plain.pyramid, labels)
        self.blocks = nn.ModuleList(FusedBlock(cast(ConditionalBlock, block), labels) for block in plain.blocks)
        self.to_rgb = padded_conv(plain.to_rgb, outputs=whole_groups(plain.to_rgb.out_channels))
        self.register_buffer("rgb_bias", cast(Tensor, plain.to_rgb.bias).detach().view(1, -1, 1, 1).clone())
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return self.codes.of(labels_BHW, instances_BHW)

    # Nothing is left for a compiler to fuse; it would only take the steps apart where the kernels stand.
    @torch.compiler.disable
    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        layout = Layout(condition)
        if style is None or len(style) == len(condition):
            return self.in_styles(layout, [style])[0]
        return torch.cat(self.in_styles(layout, torch.split(style, len(condition))))

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        levels = list(layout.once("pyramid", lambda: self.pyramid(layout.condition)))
        levels.reverse()
        xs = [self._begin(layout.condition, style) for style in styles]
        cell = self.stride
        level = levels.pop()
        for index, (stage, block) in enumerate(zip(self.stages, self.blocks, strict=True)):
            if stage.upsample:
                cell, level = cell // 2, levels.pop()
            grid = Grid(layout.condition[..., ::cell, ::cell].contiguous(), level, stage.upsample)
            xs = block(xs, grid, layout, index)
        return [self._finish(x) for x in xs]

    def _begin(self, codes_B1HW: Tensor, style: Tensor | None) -> Tensor:
        if isinstance(self.start, LabelConv):
            start: Tensor = self.start(codes_B1HW[..., :: self.stride, :: self.stride])[0]
            return start
        if style is None:
            style = torch.randn(len(codes_B1HW), self.style_dim, device=codes_B1HW.device)
        return packed(self.start(codes_B1HW, style).to(self.to_rgb.weight.dtype))

    def _finish(self, x_BCHW: Tensor) -> Tensor:
        # tanh in full precision: half precision would band the highlights.
        return torch.tanh(self.to_rgb(F.leaky_relu_(x_BCHW, 0.2))[:, :3].float() + self.rgb_bias)


class FusedPyramid(nn.Module):
    """The pyramid over the labels, coarsest level first, batch norms folded in."""

    def __init__(self, plain: LabelPyramid, labels: Labels) -> None:
        super().__init__()
        first, *others = (FusedUnit(cast(LabelUnit, unit)) for unit in plain.encode)
        self.first = LabelConv([first.conv.weight], [first.bias], labels.num_classes, labels.edges, slope=0.2)
        self.encode = nn.ModuleList(others)
        self.lateral = nn.ModuleList(FusedUnit(cast(LabelUnit, unit)) for unit in plain.lateral)
        self.decode = nn.ModuleList(FusedUnit(cast(LabelUnit, unit)) for unit in plain.decode)

    def forward(self, codes_B1HW: Tensor) -> list[Tensor]:
        encoded: list[Tensor] = self.first(codes_B1HW)
        for encode in self.encode:
            encoded.append(encode(encoded[-1]))
        top_down = [encoded.pop()]
        for lateral, decode in zip(self.lateral, self.decode, strict=True):
            top_down.append(decode(lateral(encoded.pop(), top_down[-1])))
        return top_down


class FusedUnit(nn.Module):
    """Convolution with its batch norm folded in, leaky ReLU, and a coarser map added where there is one."""

    bias: Tensor

    def __init__(self, plain: LabelUnit) -> None:
        super().__init__()
        scale, shift = _affine(plain.norm)
        self.conv = conv_of(plain.conv.weight.detach() * scale.view(-1, 1, 1, 1), plain.conv.stride[0])
        self.register_buffer("bias", shift)

    def forward(self, x_BCHW: Tensor, coarse_BCHW: Tensor | None = None) -> Tensor:
        return activate(self.conv(x_BCHW), self.bias, 0.2, coarse_BCHW)


class FusedBlock(nn.Module):
    """The conditional-convolution block for activations of one layout in several styles."""

    def __init__(self, plain: ConditionalBlock, labels: Labels) -> None:
        super().__init__()
        self.conv_0, self.conv_1 = FusedConv(plain.conv_0, labels), FusedConv(plain.conv_1, labels)
        self.shortcut: FusedShortcut | None = None
        if plain.norm_s is not None and plain.conv_s is not None:
            self.shortcut = FusedShortcut(plain.norm_s, cast(nn.Conv2d, plain.conv_s), labels)

    def forward(self, xs: Sequence[Tensor], grid: Grid, layout: Layout, index: int) -> list[Tensor]:
        """Where the grid doubles, `xs` are of half its size: kernels read each number four times instead."""
        batch, _, height, width = grid.codes_B1HW.shape
        together = evenly(batch, _PIXELS_TOGETHER // (height * width))
        groups = []
        for first in range(0, batch, together):
            images = slice(first, first + together)

            def once(layer: str, what: Hashable, compute: Callable[[], Tensor], first: int = first) -> Tensor:
                return layout.once((index, first, layer, what), compute)

            groups.append(self._group([x[images] for x in xs], grid.of(images), once))
        return groups[0] if len(groups) == 1 else [torch.cat(parts) for parts in zip(*groups, strict=True)]

    def _group(self, xs: Sequence[Tensor], grid: Grid, once: Callable[..., Tensor]) -> list[Tensor]:
        mains = self.conv_0(xs, grid, partial(once, "conv_0"))
        sides = xs if self.shortcut is None else self.shortcut(xs, grid, partial(once, "shortcut"))
        outs: list[Tensor] = self.conv_1(mains, grid._replace(doubles=False), partial(once, "conv_1"), sides)
        return outs


class FusedConv(nn.Module):
    """A conditional convolution: kernels tap after tap, so that a tap's channels lie as the activations' do."""

    kernel_bias: Tensor
    gate_bias: Tensor
    mix_bias: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, plain: ConditionalConv, labels: Labels) -> None:
        super().__init__()
        # Two convolutions of the same input: one with twice the outputs keeps a matrix unit busier.
        self.first = labels.conv([plain.kernels.first, plain.gates.first], slope=0.0)
        weight, kernel_bias = _tap_after_tap(plain.kernels)
        self.kernels, self.gates, self.mix = (
            conv_of(weight),
            conv_of(plain.gates.second.weight),
            conv_of(plain.mix.weight),
        )
        self.register_buffer("kernel_bias", kernel_bias)
        self.register_buffer("gate_bias", cast(Tensor, plain.gates.second.bias).detach().clone())
        self.register_buffer("mix_bias", cast(Tensor, plain.mix.bias).detach().clone())
        scale, shift = _affine(plain.norm)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(
        self, xs: Sequence[Tensor], grid: Grid, once: Once, sides: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Each with what its shortcut gives added, doubled where that is of half the size."""
        hidden = Hidden(self.first, grid)
        filtered = self._filtered(xs, grid, hidden, once)
        gates = once("gates", lambda: cast(Tensor, self.gates(hidden.part(1))))
        outs = []
        for index in range(len(xs)):
            mixed = self.mix(filtered.pop(0))  # popped: one filtered map less in memory
            side = None if sides is None else sides[index]
            outs.append(gated(mixed, self.mix_bias, gates, self.gate_bias, side))
        return outs

    def _filtered(self, xs: Sequence[Tensor], grid: Grid, hidden: "Hidden", once: Once) -> list[Tensor]:
        same = PerPixel(self.kernel_bias, self.scale, self.shift)
        batch, channels = xs[0].shape[:2]
        outs = [empty_map(x, batch, channels, *grid.level_BCHW.shape[2:]) for x in xs]
        for piece in pieces(grid.level_BCHW, TAPS * channels):
            kernels = once(piece, lambda piece=piece: piece.convolved(self.kernels, hidden.part(0)))  # type: ignore[misc]
            for x, out in zip(xs, outs, strict=True):
                filter_per_pixel(piece.of(x), kernels, same, piece.of(out), piece.top, grid.doubles)
        return outs


class FusedShortcut(nn.Module):
    """The modulated 1 x 1 convolution, batch norm folded into scale and shift."""

    bias: Tensor

    def __init__(self, norm: Spade, conv: nn.Conv2d, labels: Labels) -> None:
        super().__init__()
        self.first = labels.conv([norm.shared], slope=0.0)
        weight, bias = fold(norm)
        self.both, self.conv = conv_of(weight), conv_of(conv.weight)
        self.register_buffer("bias", bias)

    def forward(self, xs: Sequence[Tensor], grid: Grid, once: Once) -> list[Tensor]:
        hidden = Hidden(self.first, grid)
        batch, channels = xs[0].shape[:2]
        outs = [empty_map(x, batch, channels, *grid.level_BCHW.shape[2:]) for x in xs]
        for piece in pieces(grid.level_BCHW, 2 * channels):
            both = once(piece, lambda piece=piece: piece.convolved(self.both, hidden.part(0)))  # type: ignore[misc]
            for x, out in zip(xs, outs, strict=True):
                scale_and_shift(piece.of(x), both, self.bias, piece.of(out), piece.top, grid.doubles)
        return [self.conv(outs.pop(0)) for _ in xs]


class Hidden:
    """What the first convolutions of a layer give, computed when it is first asked for: not where all was kept."""

    def __init__(self, first: LabelConv, grid: Grid) -> None:
        self._first, self._grid = first, grid
        self._parts: list[Tensor] = []

    def part(self, index: int) -> Tensor:
        if not self._parts:
            self._parts = self._first(self._grid.codes_B1HW, self._grid.level_BCHW)
        return self._parts[index]


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift that an affine batch norm amounts to."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias.detach() - norm.running_mean * scale


def _tap_after_tap(predictor: Predictor) -> tuple[Tensor, Tensor]:
    """Weight and bias of the second convolution, its outputs sorted by tap, then by channel."""
    second = predictor.second
    order = torch.arange(second.out_channels).view(-1, TAPS).t().flatten()
    return second.weight.detach()[order], cast(Tensor, second.bias).detach()[order]
