"""SPADE and Lab2Pix-V2 for GPUs: labels as look-ups of distinct neighbourhoods, everything else fused."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.family import Generator
from generators.kernels.bare_conv import bias_of, padded_conv, whole_groups
from generators.kernels.modulate import Cells, Table
from generators.layout import Layout
from generators.spade.block import SpadeBlock
from generators.spade.distinct import Distinct, find_distinct
from generators.spade.generator import StagedGenerator
from generators.spade.looks import looks_of, table_of
from generators.spade.start import CodeStart
from generators.spade.tabled import Seen, TabledSpade
from generators.spade.tabled_trunk import TabledTrunk
from generators.spectral_norm import bake
from generators.style import StyleKind


class GlobalMaps(Protocol):
    """DG-Norm's global encoder: a map for every scale, coarsest first, each enlarged no more than needed."""

    def __call__(self, condition_BSHW: Tensor) -> list[Tensor]: ...


class TabledGenerator(Generator):
    """Its condition is looks (`spade.looks`), B x H x W."""

    def __init__(self, plain: StagedGenerator, global_maps: nn.Module | None = None) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.num_channels, self.instance_edges = plain.num_channels, plain.instance_edges
        self.shares_layouts = self.style_kind is not StyleKind.NONE
        plain = bake(copy.deepcopy(plain).eval())
        vectors_VS = look_vectors(plain)
        self.vectors = table_of(vectors_VS)
        first = plain.stages[0].in_channels
        if isinstance(plain.start, CodeStart):
            self.start: nn.Module = plain.start
            bias_of_start = torch.zeros(first)
        else:
            self.start = padded_conv(plain.start.conv, inputs=vectors_VS.shape[1])
            bias_of_start = bias_of(plain.start.conv)
        doubles = [stage.upsample for stage in plain.stages]
        self.cells = [self.stride // 2 ** sum(doubles[: index + 1]) for index in range(len(doubles))]
        self.trunk = TabledTrunk(
            [cast(SpadeBlock, block) for block in cast(nn.ModuleList, plain.blocks)],
            doubles,
            plain.to_rgb,
            bias_of_start,
            partial(_convert, vectors_VS),
        )
        self.global_maps = global_maps
        self._by_rows = True
        self.requires_grad_(False)

    def fix_shapes(self) -> None:
        self._by_rows = False

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return looks_of(labels_BHW, instances_BHW, self.num_channels, self.instance_edges)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is None and self.style_dim:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        if not self._by_rows:
            return self._draw(Layout(condition), [style], None)[0]
        # One by one: how many rows a matrix product has must not depend on the company.
        styles = [None] * len(condition) if style is None else torch.split(style, 1)
        scenes = zip(torch.split(condition, 1), styles, self._find(condition), strict=True)
        images = [self._draw(Layout(looks), [code], distinct)[0] for looks, code, distinct in scenes]
        return images[0] if len(images) == 1 else torch.cat(images)

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        distinct = None
        if self._by_rows:
            distinct = layout.once("distinct", lambda: self._find(layout.condition)[0])
        return self._draw(layout, styles, distinct)

    def _find(self, looks_BHW: Tensor) -> list[list[Distinct]]:
        return find_distinct(looks_BHW, sorted(set(self.cells), reverse=True), self.vectors.num_embeddings)

    def _draw(
        self, layout: Layout, styles: Sequence[Tensor | None], distinct: Sequence[Distinct] | None
    ) -> list[Tensor]:
        looks = layout.condition
        of_cell = {} if distinct is None else {one.grid.cell: one for one in distinct}
        seen = {
            cell: Seen(looks[:, ::cell, ::cell], self.vectors, of_cell.get(cell)) for cell in sorted(set(self.cells))
        }
        maps = self._global_maps(layout)

        def decide(index: int, name: str, norm: TabledSpade) -> tuple[Table, Cells | None]:
            cell = self.cells[index]
            table = layout.once((index, name), lambda: norm(seen[cell]))
            # The global map of DG-Norm never reaches the shortcut.
            if maps is None or name == "norm_s":
                return table, None
            factor = self.stride // cell
            scale = factor.bit_length() - 1
            return table, layout.once((index, name, "cells"), lambda: Cells(norm.both(maps[scale]), factor))

        return self.trunk([self._begin(looks, style) for style in styles], decide)

    def _begin(self, looks_BHW: Tensor, style: Tensor | None) -> Tensor:
        if isinstance(self.start, CodeStart):
            if style is None:
                style = torch.randn(len(looks_BHW), self.style_dim, device=looks_BHW.device)
            started: Tensor = self.start(looks_BHW, style.to(self.start.linear.weight.dtype))
            return started
        tiny = F.embedding(looks_BHW[:, :: self.stride, :: self.stride], self.vectors.weight)
        start: Tensor = self.start(tiny.permute(0, 3, 1, 2))
        return start

    def _global_maps(self, layout: Layout) -> list[Tensor] | None:
        if self.global_maps is None:
            return None
        encode = cast(GlobalMaps, self.global_maps)
        return layout.once("global", lambda: encode(Seen(layout.condition, self.vectors, None).condition()))


def look_vectors(plain: StagedGenerator) -> Tensor:
    """What every look stands for in the condition of the plain network, V x S, in whole groups of channels."""
    edges = plain.instance_edges
    labels_V = torch.arange(plain.num_channels).repeat_interleave(2 if edges else 1)
    condition_VS = plain.condition(labels_V.view(1, 1, -1), torch.zeros_like(labels_V).view(1, 1, -1))[0, :, 0].t()
    if edges:
        condition_VS[:, -1] = torch.arange(len(labels_V)) % 2
    return F.pad(condition_VS, (0, whole_groups(condition_VS.shape[1]) - condition_VS.shape[1])).contiguous()


def _convert(vectors_VS: Tensor, norm: nn.Module, bias_of_x_C: Tensor) -> TabledSpade:
    return TabledSpade(norm, vectors_VS, bias_of_x_C)  # type: ignore[arg-type]
