"""The U-Net of pix2pix: halve until one cell is left, double back, skip across at every size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import edge_map, one_hot
from generators.family import Generator, LabelSpace
from generators.pix2pix.config import Pix2PixConfig
from generators.style import StyleKind

# Multiples of the base width: widths double three times and then stay.
_WIDEST = 8
_DROPPED_OUT = 3  # decoder steps with dropout


class UNetGenerator(Generator):
    """Kernel 4, stride 2 all the way; batch norm on all but the outermost (and the innermost encoding) convolutions."""

    style_kind = StyleKind.NONE
    style_dim = 0

    def __init__(self, config: Pix2PixConfig, space: LabelSpace) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.instance_edges = config.instance_edges
        self.condition_channels = space.num_channels + config.instance_edges
        self.stochastic = config.stochastic_rendering
        self.dropout = config.dropout
        self.stride = 2**config.levels
        widths = [min(2**level, _WIDEST) * config.base_channels for level in range(config.levels)]
        self.encode = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1)
            for before, after in pairwise([self.condition_channels, *widths])
        )
        self.encode_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:-1])
        # Every decoder step after the first takes the skip of its size beside what came from below.
        decoded = [*reversed(widths[:-1]), 3]
        skipped = [0, *reversed(widths[:-1])]
        self.decode = nn.ModuleList(
            nn.ConvTranspose2d(before + skip, after, 4, stride=2, padding=1)
            for before, skip, after in zip([widths[-1], *decoded[:-1]], skipped, decoded, strict=True)
        )
        self.decode_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in decoded[:-1])

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        labels_BKHW = one_hot(labels_BHW, self.num_channels)
        return torch.cat([labels_BKHW, edge_map(instances_BHW)], dim=1) if self.instance_edges else labels_BKHW

    def train(self, mode: bool = True) -> "UNetGenerator":
        return super().train(mode or self.stochastic)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        skips = self._encode(condition)
        x_BCHW = skips.pop()
        for index, decode in enumerate(self.decode):
            if index:
                x_BCHW = torch.cat([x_BCHW, skips.pop()], dim=1)
            x_BCHW = decode(F.relu(x_BCHW))
            if index < len(self.decode_norms):
                x_BCHW = self.decode_norms[index](x_BCHW)
            if index < _DROPPED_OUT:
                x_BCHW = F.dropout(x_BCHW, self.dropout, self.training)
        return torch.tanh(x_BCHW.float())

    def _encode(self, condition: Tensor) -> list[Tensor]:
        """The map after every halving, finest first."""
        x_BCHW, maps = condition, []
        last = len(self.encode) - 1
        for index, encode in enumerate(self.encode):
            x_BCHW = encode(F.leaky_relu(x_BCHW, 0.2) if index else x_BCHW)
            if 0 < index < last:
                x_BCHW = self.encode_norms[index - 1](x_BCHW)
            maps.append(x_BCHW)
        return maps
