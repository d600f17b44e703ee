"""OASIS for GPUs: labels looked up by distinct neighbourhoods, one noise vector beside them, everything else fused."""

import copy
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.family import Generator
from generators.kernels.bare_conv import bias_of, conv_of, whole_groups
from generators.kernels.modulate import Cells, Table
from generators.layout import Layout
from generators.oasis.generator import OasisGenerator
from generators.spade.block import SpadeBlock
from generators.spade.distinct import Distinct, find_distinct
from generators.spade.looks import looks_of, table_of
from generators.spade.modulation import Spade
from generators.spade.tabled import Seen, TabledSpade
from generators.spade.tabled_trunk import TabledTrunk
from generators.spectral_norm import bake
from generators.style import StyleKind


class TabledOasisGenerator(Generator):
    """Its condition is labels, B x H x W. Noise painted by region is convolved as a map."""

    style_kind = StyleKind.NOISE
    shares_layouts = True

    def __init__(self, plain: OasisGenerator) -> None:
        super().__init__()
        self.style_dim, self.stride, self.num_channels = plain.style_dim, plain.stride, plain.num_channels
        plain = bake(copy.deepcopy(plain).eval())
        # Labels, zeros up to a whole group with the noise, then the noise.
        width = whole_groups(self.num_channels + self.style_dim) - self.style_dim
        vectors_VS = torch.eye(self.num_channels, width)
        self.vectors = table_of(vectors_VS)
        noise, labels = torch.split(plain.start.weight.detach(), [self.style_dim, self.num_channels], dim=1)
        self.start = conv_of(torch.cat([F.pad(labels, (0, 0, 0, 0, 0, width - self.num_channels)), noise], dim=1))
        doubles = [index > 0 for index in range(len(plain.blocks))]
        self.cells = [self.stride >> index for index in range(len(doubles))]

        def convert(norm: Spade, bias_of_x_C: Tensor) -> TabledSpade:
            return TabledSpade(labels_first(norm, self.style_dim), vectors_VS, bias_of_x_C, self.style_dim)

        blocks = [cast(SpadeBlock, block) for block in plain.blocks]
        self.trunk = TabledTrunk(blocks, doubles, plain.to_rgb, bias_of(plain.start), convert)
        self._by_rows = True
        self.requires_grad_(False)

    def fix_shapes(self) -> None:
        self._by_rows = False

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return looks_of(labels_BHW, instances_BHW, self.num_channels, edges=False)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is None:
            style = torch.randn(len(condition), self.style_dim, 1, 1, device=condition.device)
        if not self._by_rows:
            return self._draw(condition, style, None)
        # One by one: how many rows a matrix product has must not depend on the company.
        scenes = zip(torch.split(condition, 1), torch.split(style, 1), self._find(condition), strict=True)
        images = [self._draw(looks, noise, distinct) for looks, noise, distinct in scenes]
        return images[0] if len(images) == 1 else torch.cat(images)

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        looks, distinct = layout.condition, None
        if self._by_rows:
            distinct = layout.once("distinct", lambda: self._find(looks)[0])
        images = []
        for style in styles:
            noise = torch.randn(1, self.style_dim, 1, 1, device=looks.device) if style is None else style
            images.append(self._draw(looks, noise, distinct))
        return images

    def _find(self, looks_BHW: Tensor) -> list[list[Distinct]]:
        return find_distinct(looks_BHW, self.cells, self.num_channels)

    def _draw(self, looks_BHW: Tensor, noise: Tensor, distinct: Sequence[Distinct] | None) -> Tensor:
        if distinct is not None and noise.shape[2:] != (1, 1):
            # Told apart by values alone, and only where a map came.
            flat = noise[..., :1, :1]
            noise, distinct = (flat, distinct) if bool((noise == flat).all()) else (noise, None)
        of_cell = {} if distinct is None else {one.grid.cell: one for one in distinct}
        seen = {cell: self._seen(looks_BHW, noise, cell, of_cell.get(cell)) for cell in self.cells}

        def decide(index: int, name: str, norm: TabledSpade) -> tuple[Table, Cells | None]:
            return norm(seen[self.cells[index]]), None

        tiny = self._seen(looks_BHW, noise, self.stride, None).condition()
        [image] = self.trunk([self.start(tiny)], decide)
        return image

    def _seen(self, looks_BHW: Tensor, noise: Tensor, cell: int, distinct: Distinct | None) -> Seen:
        at_cell = noise if noise.shape[2:] == (1, 1) else noise[..., ::cell, ::cell]
        return Seen(looks_BHW[:, ::cell, ::cell], self.vectors, distinct, at_cell)


def labels_first(norm: Spade, noise_dim: int) -> Spade:
    """The norm with its condition's channels in the other order."""
    turned = copy.deepcopy(norm)
    noise, labels = torch.split(norm.shared.weight.detach(), [noise_dim, norm.shared.in_channels - noise_dim], dim=1)
    turned.shared.weight = nn.Parameter(torch.cat([labels, noise], dim=1))
    return turned
