"""The Lab2Pix-V1 generator: a noise-started trunk, then three refinements that each give an image."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from generators.conditioning import check_channels
from generators.family import Generator, LabelSpace
from generators.lab2pix_v1.co_attention import CoAttention
from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.lab2pix_v1.label_pooling import label_pyramid, sketch_pyramid
from generators.lab2pix_v1.modulation import ModulatedBlock
from generators.lab2pix_v1.sketch_encoder import SketchEncoder
from generators.spade.stages import double
from generators.spade.start import CodeStart
from generators.style import StyleKind

# Multiples of the base width: of the trunk but for its last block, and around the refinements.
_WIDEST = 16
_REFINED = (8, 4, 2, 1)
_REFINEMENTS = len(_REFINED) - 1


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
    """Takes label ids (not one-hot: its pyramid pools ids) and a code; or a sketch, and then no code."""

    def __init__(self, config: Lab2pixV1Config, space: LabelSpace) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.sketch = config.condition == "sketch"
        self.style_kind = StyleKind.NONE if self.sketch else StyleKind.GLOBAL
        self.style_dim = 0 if self.sketch else config.style_dim
        # In sketch mode the encoder of the sketch stands for the first two blocks.
        blocks = config.trunk_blocks - 2 if self.sketch else config.trunk_blocks
        if blocks < 1:
            raise ValueError(f"trunk_blocks {config.trunk_blocks} is too few; a sketch's encoder replaces two of them")
        refined = [factor * config.base_channels for factor in _REFINED]
        trunk = [_WIDEST * config.base_channels] * blocks + [refined[0]]
        self.stride = 2 ** (blocks + _REFINEMENTS)
        self.start: CodeStart | SketchEncoder = (
            SketchEncoder(config.base_channels, trunk[0], self.stride)
            if self.sketch
            else CodeStart(config.style_dim, trunk[0], config.start_grid, self.stride)
        )
        modulating = 1 if self.sketch else space.num_channels
        self.trunk = nn.ModuleList(
            ModulatedBlock(before, after, modulating, config.hidden_channels) for before, after in pairwise(trunk)
        )
        self.refine = nn.ModuleList(
            RefinementStage(before, after, modulating, config.hidden_channels) for before, after in pairwise(refined)
        )

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """B x 1 x H x W: label ids, or the sketch between -1 and 1."""
        check_channels(labels_BHW, self.num_channels)
        values = labels_BHW.unsqueeze(1).float()
        return values * (2 / max(1, self.num_channels - 1)) - 1 if self.sketch else values

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        return self.pyramid(condition, style)[0]

    def pyramid(self, condition: Tensor, style: Tensor | None) -> list[Tensor]:
        """Images at full, half and quarter size."""
        # Coarsest first: every block takes the labels of its grid, and doubles it.
        labels = self._labels(condition)
        x_BCHW = self._begin(condition, style)
        for block in self.trunk:
            x_BCHW = double(block(x_BCHW, labels.pop()))
        images: list[Tensor] = []
        for refine in self.refine:
            image, x_BCHW = refine(x_BCHW, labels.pop(), labels[-1])
            images.insert(0, image)
        return images

    def _begin(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if isinstance(self.start, SketchEncoder):
            grid: Tensor = self.start(condition)
            return grid
        if style is None:
            style = torch.randn(len(condition), self.style_dim, device=condition.device)
        return self.start(condition, style)

    def _labels(self, condition: Tensor) -> list[Tensor]:
        """Modulating maps, finest first."""
        levels = len(self.trunk) + _REFINEMENTS + 1
        if self.sketch:
            return sketch_pyramid(condition, levels)
        return label_pyramid(condition, self.num_channels, levels)
