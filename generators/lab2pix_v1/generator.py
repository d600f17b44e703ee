"""The Lab2Pix-V1 generator: a noise-started trunk, then three refinements that each give an image."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn

from generators.conditioning import check_channels
from generators.family import Generator, LabelSpace
from generators.lab2pix_v1.co_attention import CoAttention
from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.lab2pix_v1.label_pooling import pooled_one_hot
from generators.lab2pix_v1.modulation import ModulatedBlock
from generators.spade.stages import double
from generators.spade.start import CodeStart
from generators.style import StyleKind

_STRIDE = 128
# Multiples of the base width before, between and after the trunk's blocks.
_TRUNK = (16, 16, 16, 16, 8)
_REFINED = (8, 4, 2, 1)


class Refinement(NamedTuple):
    image: Tensor
    features: Tensor


class RefinementStage(nn.Module):
    """Doubles the grid, blends with what was there before, and paints an image."""

    def __init__(self, in_channels: int, out_channels: int, condition_channels: int, hidden: int) -> None:
        super().__init__()
        self.block = ModulatedBlock(in_channels, out_channels, condition_channels, hidden)
        self.blend = CoAttention(in_channels, out_channels, condition_channels)
        self.to_rgb = nn.Conv2d(out_channels, 3, 3, padding=1)

    def forward(self, x_BCHW: Tensor, labels_BKHW: Tensor, finer_labels_BKHW: Tensor) -> Refinement:
        higher = double(self.block(x_BCHW, labels_BKHW))
        features = self.blend(x_BCHW, higher, finer_labels_BKHW)
        return Refinement(torch.tanh(self.to_rgb(features).float()), features)


class Lab2pixV1Generator(Generator):
    """Takes label ids (not one-hot: its pyramid pools ids) and a 128-dimensional code."""

    style_kind = StyleKind.GLOBAL
    stride = _STRIDE

    def __init__(self, config: Lab2pixV1Config, space: LabelSpace) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.style_dim = config.style_dim
        trunk = [factor * config.base_channels for factor in _TRUNK]
        refined = [factor * config.base_channels for factor in _REFINED]
        self.start = CodeStart(config.style_dim, trunk[0], config.start_grid, _STRIDE)
        self.trunk = nn.ModuleList(
            ModulatedBlock(before, after, space.num_channels, config.hidden_channels)
            for before, after in itertools.pairwise(trunk)
        )
        self.refine = nn.ModuleList(
            RefinementStage(before, after, space.num_channels, config.hidden_channels)
            for before, after in itertools.pairwise(refined)
        )

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        return labels_BHW.unsqueeze(1).float()

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        return self.pyramid(condition, style)[0]

    def pyramid(self, condition: Tensor, style: Tensor | None) -> list[Tensor]:
        """Images at full, half and quarter size."""
        if style is None:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        labels_at = [pooled_one_hot(condition, 2**level, self.num_channels) for level in range(8)]
        x_BCHW = self.start(condition, style)
        cell = 7
        for block in self.trunk:
            x_BCHW = double(block(x_BCHW, labels_at[cell]))
            cell -= 1
        images: list[Tensor] = []
        for refine in self.refine:
            image, x_BCHW = refine(x_BCHW, labels_at[cell], labels_at[cell - 1])
            images.insert(0, image)
            cell -= 1
        return images
