"""CC-FPSE for rendering: the same images up to rounding, without ever holding the kernels of a whole layer."""

import copy
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.ccfpse.block import ConditionalBlock, ConditionalConv, Predictor
from generators.ccfpse.codes import Codes
from generators.ccfpse.depthwise import TAPS
from generators.ccfpse.generator import CcfpseGenerator
from generators.ccfpse.label_pyramid import LabelPyramid, LabelUnit
from generators.ccfpse.strips import Grid, Strip, inner
from generators.family import Generator
from generators.given_conv import conv_of
from generators.layout import Layout
from generators.minimal_filtering import Chunk, MinimalConv, TileGrid
from generators.spade.folded import Affine, fold
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.start import LabelStart
from generators.spectral_norm import bake
from generators.style import StyleKind

# (what, compute) -> the result, kept where the layout has room.
Once = Callable[[Hashable, Callable[[], Tensor]], Tensor]


class StripwiseCcfpse(Generator):
    """Kernels and gates of a layout are predicted once for all of its styles.

    Its condition is codes, which become one-hot channels a few rows at a time.
    """

    def __init__(self, plain: CcfpseGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.shares_layouts = self.style_kind is not StyleKind.NONE
        self.codes = Codes(plain.num_channels, plain.instance_edges)
        self.plain = bake(copy.deepcopy(plain).eval())
        self.blocks = nn.ModuleList(StripwiseBlock(cast(ConditionalBlock, block)) for block in self.plain.blocks)
        pyramid = self.plain.pyramid
        self.encode, self.lateral, self.decode = (
            nn.ModuleList(FoldedUnit(cast(LabelUnit, unit)) for unit in units)
            for units in (pyramid.encode, pyramid.lateral, pyramid.decode)
        )
        self.plain.blocks, self.plain.pyramid = nn.ModuleList(), cast(LabelPyramid, nn.Identity())
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return self.codes.of(labels_BHW, instances_BHW)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        return self.in_styles(Layout(condition), [style])[0]

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        levels = list(layout.once("pyramid", lambda: self._pyramid(layout.condition)))
        levels.reverse()
        xs = [self._begin(layout.condition, style) for style in styles]
        cell = self.stride
        level = levels.pop()
        for index, (stage, block) in enumerate(zip(self.plain.stages, self.blocks, strict=True)):
            if stage.upsample:
                cell, level = cell // 2, levels.pop()
            grid = Grid(layout.condition[..., ::cell, ::cell], self.codes, level, stage.upsample)
            xs = block(xs, grid, layout, index)
        # tanh in full precision: half precision would band the highlights.
        return [torch.tanh(self.plain.to_rgb(F.leaky_relu_(x, 0.2)).float()) for x in xs]

    def _begin(self, codes_B1HW: Tensor, style: Tensor | None) -> Tensor:
        if not isinstance(self.plain.start, LabelStart):
            return self.plain.begin(codes_B1HW, style)
        start: Tensor = self.plain.start.conv(self.codes.channels(codes_B1HW[..., :: self.stride, :: self.stride]))
        return start

    def _pyramid(self, codes_B1HW: Tensor) -> list[Tensor]:
        """The plain pyramid, coarsest first, with little more than one full-size map in memory beside the finest."""
        encoded: list[Tensor] = []
        x_BCHW = self.codes.channels(codes_B1HW)
        for encode in self.encode:
            x_BCHW = encode(x_BCHW)
            encoded.append(x_BCHW)
        del x_BCHW
        top_down = [encoded.pop()]
        for lateral, decode in zip(self.lateral, self.decode, strict=True):
            summed = lateral(encoded.pop()).add_(double(top_down[-1]))
            top_down.append(decode(summed))
        return top_down


class FoldedUnit(nn.Module):
    """Convolution with its batch norm folded in, leaky ReLU."""

    def __init__(self, plain: LabelUnit) -> None:
        super().__init__()
        conv, norm = plain.conv, plain.norm
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = conv.weight.detach() * scale.view(-1, 1, 1, 1), norm.bias.detach() - norm.running_mean * scale
        self.conv = conv_of(weight, bias, conv.stride, conv.padding)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.leaky_relu_(self.conv(x_BCHW), 0.2)


class StripwiseBlock(nn.Module):
    """The conditional-convolution block for activations of one layout in several styles; all of it by strips."""

    def __init__(self, plain: ConditionalBlock) -> None:
        super().__init__()
        self.conv_0, self.conv_1 = StripwiseConv(plain.conv_0), StripwiseConv(plain.conv_1)
        self.shortcut: StripwiseShortcut | None = None
        if plain.norm_s is not None and plain.conv_s is not None:
            self.shortcut = StripwiseShortcut(plain.norm_s, plain.conv_s)

    def forward(self, xs: Sequence[Tensor], grid: Grid, layout: Layout, index: int) -> list[Tensor]:
        """Where the grid doubles, `xs` are of half its size: the doubled ones are never there as a whole."""

        def once(layer: str) -> Once:
            return lambda what, compute: layout.once((index, layer, what), compute)

        mains = self.conv_0(xs, grid.doubles, grid, once("conv_0"))
        outs = self.conv_1(mains, False, grid, once("conv_1"), reuses=True)
        for strip in grid.strips():
            sides = [strip.of(x, grid.doubles) for x in xs]
            if self.shortcut is not None:
                sides = self.shortcut(sides, strip, once("shortcut"))
            for out, side in zip(outs, sides, strict=True):
                out[:, :, strip.top : strip.bottom] += side
        return outs


class StripwiseShortcut(nn.Module):
    """The modulated 1 x 1 convolution, batch norm folded into scale and shift."""

    def __init__(self, norm: Spade, conv: nn.Module) -> None:
        super().__init__()
        self.shared, self.conv = norm.shared, conv
        self.both = conv_of(*fold(norm))

    def forward(self, xs: Sequence[Tensor], strip: Strip, once: Once) -> list[Tensor]:
        both = once(strip.top, lambda: inner(self.both, strip.hidden(self.shared)))
        affine = Affine(*both.chunk(2, dim=1))
        return [self.conv(affine.apply(x)) for x in xs]


class StripwiseConv(nn.Module):
    """A conditional convolution, its kernels predicted some rows and one tap at a time.

    A tap's kernels lie as the activations do, channels last, so that multiplying runs through both in order.
    """

    def __init__(self, plain: ConditionalConv) -> None:
        super().__init__()
        self.norm, self.mix, self.gates = plain.norm, plain.mix, plain.gates
        self.first = plain.kernels.first
        self.taps = nn.ModuleList(_taps(plain.kernels))

    def forward(
        self, xs: Sequence[Tensor], doubles: bool, grid: Grid, once: Once, reuses: bool = False
    ) -> list[Tensor]:
        """`reuses`: the activations are nobody else's, and are overwritten where they have as many channels."""
        size = grid.level_BCHW.shape[2:]
        reuses = reuses and self.mix.in_channels == self.mix.out_channels
        outs = list(xs) if reuses else []
        above: list[Tensor | None] = [None] * len(xs)
        for strip in grid.strips():
            # Normalised before it is padded: outside the image the depthwise convolution sees zeros, not shifted zeros.
            padded = [strip.of(x, doubles, 1, self.norm, row) for x, row in zip(xs, above, strict=True)]
            if reuses:
                above = [x[:, :, strip.bottom - 1 : strip.bottom].clone() for x in xs]
            filtered = self._filter(padded, strip, once)
            gates = once((strip.top, "gates"), lambda strip=strip: self._gates(strip))  # type: ignore[misc]
            for index, each in enumerate(filtered):
                strip_out = F.leaky_relu_(self.mix(each).mul_(gates), 0.2)
                if strip.top == 0 and not reuses:
                    outs.append(_map_of(strip_out, size))
                outs[index][:, :, strip.top : strip.bottom] = strip_out
        return outs

    def _gates(self, strip: Strip) -> Tensor:
        return inner(self.gates.second, strip.hidden(self.gates.first)).sigmoid_()

    def _filter(self, padded: Sequence[Tensor], strip: Strip, once: Once) -> list[Tensor]:
        """The strip of every style through its per-pixel kernels: nine shifted multiply-adds."""
        if isinstance(self.taps[0], MinimalConv):
            return self._filter_tiles(padded, strip, once)
        hidden: list[Tensor] = []

        def kernels(tap: int) -> Tensor:
            if not hidden:  # not needed at all where the layout kept every tap
                hidden.append(strip.hidden(self.first))
            return inner(self.taps[tap], hidden[0])

        rows, columns = strip.bottom - strip.top, padded[0].shape[3] - 2
        totals: list[Tensor] = []
        for tap in range(TAPS):
            row, column = divmod(tap, 3)
            kernel = once((strip.top, tap), lambda tap=tap: kernels(tap))  # type: ignore[misc]
            here = [x_BCHW[:, :, row : row + rows, column : column + columns] for x_BCHW in padded]
            if tap == 0:
                totals = [kernel * each for each in here]
            else:
                totals = [total.addcmul_(kernel, each) for total, each in zip(totals, here, strict=True)]
        return totals

    def _filter_tiles(self, padded: Sequence[Tensor], strip: Strip, once: Once) -> list[Tensor]:
        """The same, kernels predicted and used tile by tile: they are never laid out as a map."""
        taps = cast(Sequence[MinimalConv], self.taps)
        batch, channels, height, width = padded[0].shape
        grid = TileGrid(taps[0].filtering, batch, height - 2, width - 2)
        xs = [grid.padded(x) for x in padded]
        outs = [grid.empty(x, channels) for x in padded]
        hidden: list[Tensor] = []
        for number, chunk in enumerate(grid.chunks()):
            values: list[Tensor] = []

            def kernels(tap: int, chunk: Chunk = chunk, values: list[Tensor] = values) -> Tensor:
                if not hidden:
                    hidden.append(grid.padded(strip.hidden(self.first), left=1))
                if not values:
                    values.append(chunk.values(hidden[0]))
                return taps[tap].tiles(values[0])

            tiles = [chunk.outputs(out) for out in outs]
            totals: list[Tensor] = []
            for tap in range(TAPS):
                kernel = once((strip.top, number, tap), partial(kernels, tap)).view(tiles[0].shape)
                here = [chunk.outputs(x, *divmod(tap, 3)) for x in xs]
                if tap == 0:
                    totals = [kernel * each for each in here]
                else:
                    totals = [total.addcmul_(kernel, each) for total, each in zip(totals, here, strict=True)]
            for tile, total in zip(tiles, totals, strict=True):
                tile.copy_(total)
        return [out[:, :, : grid.height, : grid.width] for out in outs]


def _map_of(strip_BCHW: Tensor, size: Sequence[int]) -> Tensor:
    """An empty map of this size, of as many channels as a strip of it, channels last."""
    batch, channels = strip_BCHW.shape[:2]
    return strip_BCHW.new_empty(batch, *size, channels).permute(0, 3, 1, 2)


def _taps(predictor: Predictor) -> list[nn.Conv2d]:
    """The second convolution tap by tap: nine, each with an output a channel."""
    second = predictor.second
    assert second.bias is not None
    taps = []
    for tap in range(TAPS):
        conv = nn.Conv2d(second.in_channels, second.out_channels // TAPS, 3)
        conv.weight.data = second.weight.detach()[tap::TAPS].clone()
        conv.bias = nn.Parameter(second.bias.detach()[tap::TAPS].clone())
        taps.append(conv)
    return taps
