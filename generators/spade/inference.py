"""SPADE for rendering: the same images up to rounding, each distinct neighbourhood of labels convolved once."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import labels_and_edges, one_hot
from generators.family import Generator
from generators.layout import Layout
from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine, FoldedSpade, Rows
from generators.spade.generator import SpadeGenerator
from generators.spade.label_grid import LabelGrid, sort_pixels
from generators.spade.stages import double
from generators.spade.start import LabelStart
from generators.spade.styled_block import StyledBlock
from generators.spectral_norm import bake
from generators.style import StyleKind


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
        convert = partial(FoldedSpade, num_classes=self.num_channels)
        self.blocks = nn.ModuleList(StyledBlock(cast(SpadeBlock, block), convert) for block in plain.blocks)
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return labels_and_edges(labels_BHW, instances_BHW, self.num_channels, self.instance_edges)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is None and self.style_dim:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        styles = [None] * len(condition) if style is None else torch.split(style, 1)
        pairs = zip(torch.split(condition, 1), styles, strict=True)
        return torch.cat([self.in_styles(Layout(one), [style])[0] for one, style in pairs])

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        xs = [self._begin(layout.condition, style) for style in styles]
        cell, grid = self.stride, None
        for index, (stage, block) in enumerate(zip(self.stages, self.blocks, strict=True)):
            if stage.upsample:
                cell, xs = cell // 2, [double(x) for x in xs]
            if stage.upsample or grid is None:
                grid = Grid(layout.condition, cell, self.num_channels)
            xs = block(xs, partial(_decide, layout, index, grid))
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


class Grid:
    """The label grid of a condition of labels and edges at cells of so many pixels, sorted when it is first needed."""

    def __init__(self, condition: Tensor, cell: int, num_classes: int) -> None:
        self._resized, self._num_classes = condition[..., ::cell, ::cell], num_classes
        self._sorted: LabelGrid | None = None

    def sorted(self) -> LabelGrid:
        if self._sorted is None:
            self._sorted = sort_pixels(self._resized[:, 0], self._resized[:, 1], self._num_classes)
        return self._sorted


def _decide(layout: Layout, index: int, grid: Grid, name: str, norm: nn.Module) -> Affine:
    """Kept as rows, a fraction of what they spread to."""
    return layout.once((index, name), lambda: cast(Rows, norm(grid.sorted()))).spread()
