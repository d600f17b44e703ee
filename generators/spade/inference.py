"""SPADE for rendering: the same images up to rounding, each distinct neighbourhood of labels convolved once."""

import copy
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import check_channels, edge_map, one_hot
from generators.family import Generator
from generators.layout import Layout
from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine, FoldedSpade
from generators.spade.generator import SpadeGenerator
from generators.spade.label_grid import LabelGrid, sort_pixels
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.start import LabelStart
from generators.spectral_norm import bake
from generators.style import StyleKind


class FoldedBlock(nn.Module):
    """A SPADE block for activations of one layout in several styles."""

    def __init__(
        self, plain: SpadeBlock, num_classes: int, fold: Callable[[Spade, int], FoldedSpade] = FoldedSpade
    ) -> None:
        super().__init__()
        self.norm_0, self.norm_1 = fold(plain.norm_0, num_classes), fold(plain.norm_1, num_classes)
        self.norm_s = None if plain.norm_s is None else fold(plain.norm_s, num_classes)
        self.conv_0, self.conv_1, self.conv_s = plain.conv_0, plain.conv_1, plain.conv_s

    def in_styles(
        self, xs: Sequence[Tensor], layout: Layout, index: int, grid: Callable[[], LabelGrid]
    ) -> list[Tensor]:
        """What labels decide goes by the block's index in the layout."""

        def modulation(name: str, norm: FoldedSpade) -> Affine:
            return layout.once((index, name), lambda: norm(grid())).spread()

        # One style at a time, so that their number changes no bit of any; one modulation in memory at a time.
        affine = modulation("norm_0", self.norm_0)
        mains: list[Tensor] = [self.conv_0(F.leaky_relu_(affine.apply(x), 0.2)) for x in xs]
        affine = modulation("norm_1", self.norm_1)
        mains = [self.conv_1(F.leaky_relu_(affine.apply(main), 0.2)) for main in mains]
        if self.norm_s is None or self.conv_s is None:
            return [main.add_(x) for main, x in zip(mains, xs, strict=True)]
        affine = modulation("norm_s", self.norm_s)
        return [main.add_(self.conv_s(affine.apply(x))) for main, x in zip(mains, xs, strict=True)]


class FoldedSpadeGenerator(Generator):
    """Its condition is labels and edges, B x 2 x H x W."""

    def __init__(self, plain: SpadeGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.shares_layouts = self.style_kind is not StyleKind.NONE
        self.num_channels, self.instance_edges = plain.num_channels, plain.instance_edges
        self.stages = plain.stages
        plain = bake(copy.deepcopy(plain).eval())
        self.start, self.to_rgb = plain.start, plain.to_rgb
        self.blocks = nn.ModuleList(FoldedBlock(cast(SpadeBlock, block), self.num_channels) for block in plain.blocks)
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        labels_B1HW = labels_BHW.unsqueeze(1).float()
        edges = edge_map(instances_BHW) if self.instance_edges else torch.zeros_like(labels_B1HW)
        return torch.cat([labels_B1HW, edges], dim=1)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is None and self.style_dim:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        styles = [None] * len(condition) if style is None else style.split(1)
        pairs = zip(condition.split(1), styles, strict=True)
        return torch.cat([self.in_styles(Layout(one), [style])[0] for one, style in pairs])

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        xs = [self._begin(layout.condition, style) for style in styles]
        grid_of = cache(lambda cell: grid_at(layout.condition, cell, self.num_channels))
        cell = self.stride
        for index, (stage, block) in enumerate(zip(self.stages, self.blocks, strict=True)):
            if stage.upsample:
                cell, xs = cell // 2, [double(x) for x in xs]
            xs = cast(FoldedBlock, block).in_styles(xs, layout, index, partial(grid_of, cell))
        return [torch.tanh(self.to_rgb(F.leaky_relu_(x, 0.2)).float()) for x in xs]

    def _begin(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if self.style_kind is StyleKind.NONE:
            tiny = condition[..., :: self.stride, :: self.stride]
            parts = [one_hot(tiny[:, 0].long(), self.num_channels)]
            if self.instance_edges:
                parts.append(tiny[:, 1:])
            start: Tensor = cast(LabelStart, self.start).conv(torch.cat(parts, dim=1))
            return start
        if style is None:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        code_start: Tensor = self.start(condition, style)
        return code_start


def grid_at(condition: Tensor, cell: int, num_classes: int) -> LabelGrid:
    """The label grid of a condition of labels and edges, decimated to cells of so many pixels."""
    resized = condition[..., ::cell, ::cell]
    return sort_pixels(resized[:, 0], resized[:, 1], num_classes)
