"""The OASIS generator: SPADE blocks conditioned on labels and noise together."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import one_hot
from generators.family import Generator, LabelSpace
from generators.oasis.config import OasisConfig
from generators.spade.block import SpadeBlock
from generators.spade.stages import double, resize_labels
from generators.style import StyleKind

# Multiples of the base width before, between and after the six blocks.
_WIDTHS = (16, 16, 16, 8, 4, 2, 1)


class OasisGenerator(Generator):
    """Six blocks with a doubling after each of the first five; the noise stands in front of the labels."""

    style_kind = StyleKind.NOISE
    stride = 32

    def __init__(self, config: OasisConfig, space: LabelSpace) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.style_dim = config.noise_dim
        widths = [factor * config.base_channels for factor in _WIDTHS]
        modulating = config.noise_dim + space.num_channels
        self.start = nn.Conv2d(modulating, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            SpadeBlock(before, after, modulating, config.hidden_channels)
            for before, after in itertools.pairwise(widths)
        )
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        return one_hot(labels_BHW, self.num_channels)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        noise = self._draw(condition) if style is None else style.expand(-1, -1, *condition.shape[-2:])
        modulating = torch.cat([noise.to(condition.dtype), condition], dim=1)
        rows, columns = (side // self.stride for side in condition.shape[-2:])
        x_BCHW = self.start(F.interpolate(modulating, size=(rows, columns), mode="nearest"))
        for index, block in enumerate(self.blocks):
            x_BCHW = double(x_BCHW) if index else x_BCHW
            x_BCHW = block(x_BCHW, resize_labels(modulating, x_BCHW))
        return torch.tanh(self.to_rgb(F.leaky_relu(x_BCHW, 0.2)).float())

    def for_inference(self, device: torch.device) -> Generator:
        if device.type != "cpu":
            from generators.oasis.tabled import TabledOasisGenerator

            return TabledOasisGenerator(self)
        from generators.oasis.inference import FoldedOasisGenerator

        return FoldedOasisGenerator(self)

    def _draw(self, condition: Tensor) -> Tensor:
        """One vector an image, repeated over its pixels, as in training: not a vector a pixel."""
        noise = torch.randn(len(condition), self.style_dim, 1, 1, device=condition.device)
        return noise.expand(-1, -1, *condition.shape[-2:])
