"""SPADE for devices that multiply faster than they look up: fewer and fused steps, everything of a fixed shape."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from generators.family import Generator
from generators.given_conv import conv_of
from generators.layout import Layout
from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine, fold
from generators.spade.generator import StagedGenerator
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.styled_block import StyledBlock
from generators.spectral_norm import bake
from generators.style import StyleKind


class MergedSpade(nn.Module):
    """Batch norm folded into the convolutions of the labels, which are one: x * scale + shift is left for x."""

    def __init__(self, plain: Spade) -> None:
        super().__init__()
        self.shared = plain.shared
        self.both = conv_of(*fold(plain))

    def forward(self, condition_BSHW: Tensor, global_map_BDHW: Tensor | None = None) -> Affine:
        hidden_BDHW = F.relu(self.shared(condition_BSHW))
        if global_map_BDHW is not None:
            hidden_BDHW = hidden_BDHW + global_map_BDHW
        both: Tensor = self.both(hidden_BDHW)
        return Affine(*both.chunk(2, dim=1))


class MergedGenerator(Generator):
    """SPADE's skeleton with merged norms, and a global encoder where the family has one. Takes the plain condition."""

    def __init__(self, plain: StagedGenerator, global_encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.num_channels = plain.num_channels
        self.shares_layouts = self.style_kind is not StyleKind.NONE
        self.plain = bake(copy.deepcopy(plain).eval())
        self.blocks = nn.ModuleList(
            StyledBlock(cast(SpadeBlock, block), MergedSpade) for block in cast(nn.ModuleList, self.plain.blocks)
        )
        self.plain.blocks = nn.ModuleList()
        self.global_encoder = global_encoder
        if global_encoder is not None:
            self.plain.global_encoder = nn.Identity()
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return self.plain.condition(labels_BHW, instances_BHW)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        return self.in_styles(Layout(condition), [style])[0]

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        condition = layout.condition
        global_maps = list(layout.once("global", partial(self._global_maps, condition)))
        global_map = global_maps.pop(0)
        xs = [self.plain.begin(condition, style) for style in styles]
        cell = self.stride
        for index, (stage, block) in enumerate(zip(self.plain.stages, self.blocks, strict=True)):
            if stage.upsample:
                cell, global_map = cell // 2, global_maps.pop(0)
                xs = [double(x) for x in xs]
            resized = condition[..., ::cell, ::cell]

            def decide(
                name: str,
                norm: nn.Module,
                index: int = index,
                resized: Tensor = resized,
                global_map: Tensor | None = global_map,
            ) -> Affine:
                # The global map of DG-Norm never reaches the shortcut.
                seen = None if name == "norm_s" else global_map
                return layout.once((index, name), lambda: cast(Affine, norm(resized, seen)))

            xs = block(xs, decide)
        return [self.plain.finish(x) for x in xs]

    def _global_maps(self, condition: Tensor) -> list[Tensor | None]:
        if self.global_encoder is None:
            return [None] * len(self.plain.stages)
        return list(self.global_encoder(condition))
