"""SPADE for rendering: the same images up to rounding, each distinct neighbourhood of labels convolved once."""

import copy
from collections.abc import Callable, Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import check_channels, edge_map, one_hot
from generators.family import Generator
from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine, FoldedSpade
from generators.spade.generator import SpadeGenerator
from generators.spade.label_grid import LabelGrid, sort_pixels
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.start import LabelStart
from generators.spectral_norm import bake
from generators.style import StyleKind

# What may be kept of one layout, so that another style of it costs the image's convolutions alone.
_KEPT_BYTES = 2 * 2**30


class FoldedBlock(nn.Module):
    """A SPADE block whose norms take a label grid."""

    def __init__(
        self, plain: SpadeBlock, num_classes: int, fold: Callable[[Spade, int], FoldedSpade] = FoldedSpade
    ) -> None:
        super().__init__()
        self.norm_0 = fold(plain.norm_0, num_classes)
        self.norm_1 = fold(plain.norm_1, num_classes)
        self.norm_s = None if plain.norm_s is None else fold(plain.norm_s, num_classes)
        self.conv_0, self.conv_1, self.conv_s = plain.conv_0, plain.conv_1, plain.conv_s

    def modulations(self, grid: LabelGrid) -> list[Affine]:
        """What the labels alone decide: of the first norm, of the second, and of the shortcut where there is one."""
        norms = [self.norm_0, self.norm_1] + ([] if self.norm_s is None else [self.norm_s])
        return [norm(grid) for norm in norms]

    def forward(self, x_BCHW: Tensor, modulations: list[Affine]) -> Tensor:
        main = self.conv_0(F.leaky_relu_(modulations[0].apply(x_BCHW), 0.2))
        main = self.conv_1(F.leaky_relu_(modulations[1].apply(main), 0.2))
        shortcut = x_BCHW if self.conv_s is None else self.conv_s(modulations[2].apply(x_BCHW))
        out: Tensor = shortcut + main
        return out


class FoldedSpadeGenerator(Generator):
    """Its condition is labels and edges, B x 2 x H x W. It remembers the modulations of the layout it saw last."""

    def __init__(self, plain: SpadeGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.num_channels, self.instance_edges = plain.num_channels, plain.instance_edges
        self.stages = plain.stages
        plain = bake(copy.deepcopy(plain).eval())
        self.start, self.to_rgb = plain.start, plain.to_rgb
        self.blocks = nn.ModuleList(FoldedBlock(cast(SpadeBlock, block), self.num_channels) for block in plain.blocks)
        self.requires_grad_(False)
        self._seen: tuple[Tensor, list[list[Affine]]] | None = None

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        labels_B1HW = labels_BHW.unsqueeze(1).float()
        edges = edge_map(instances_BHW) if self.instance_edges else torch.zeros_like(labels_B1HW)
        return torch.cat([labels_B1HW, edges], dim=1)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        x_BCHW = self._begin(condition, style)
        for stage, block, modulations in zip(self.stages, self.blocks, self._modulations(condition), strict=True):
            x_BCHW = double(x_BCHW) if stage.upsample else x_BCHW
            x_BCHW = block(x_BCHW, modulations)
        return torch.tanh(self.to_rgb(F.leaky_relu_(x_BCHW, 0.2)).float())

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

    def _modulations(self, condition: Tensor) -> Iterator[list[Affine]]:
        """Block by block; kept for the next style of this layout where that takes little enough memory."""
        if self._seen is not None and torch.equal(self._seen[0], condition):
            yield from self._seen[1]
            return
        self._seen = None
        keep = self.style_kind is not StyleKind.NONE and self._bytes(condition) <= _KEPT_BYTES
        kept: list[list[Affine]] = []
        for grid, block in zip(self._grids(condition), self.blocks, strict=True):
            modulations = cast(FoldedBlock, block).modulations(grid)
            if keep:
                kept.append(modulations)
            yield modulations
        if keep:
            self._seen = (condition, kept)

    def _grids(self, condition: Tensor) -> Iterator[LabelGrid]:
        """The label grid of every block; blocks of one size share theirs."""
        cell = self.stride
        grid = None
        for stage in self.stages:
            cell = cell // 2 if stage.upsample else cell
            if stage.upsample or grid is None:
                resized = condition[..., ::cell, ::cell]
                grid = sort_pixels(resized[:, 0], resized[:, 1], self.num_channels)
            yield grid

    def _bytes(self, condition: Tensor) -> int:
        cell, total = self.stride, 0
        for stage, block in zip(self.stages, self.blocks, strict=True):
            cell = cell // 2 if stage.upsample else cell
            channels = sum(2 * norm.channels for norm in block.modules() if isinstance(norm, FoldedSpade))
            total += 4 * channels * condition[:, 0].numel() // cell**2
        return total
