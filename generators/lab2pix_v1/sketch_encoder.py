"""In sketch mode the drawing itself, not noise, starts V1's trunk."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


class SketchEncoder(nn.Module):
    """Sketch to the grid at `stride`, doubling its width at every halving up to `channels`."""

    def __init__(self, base_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        halvings = stride.bit_length() - 1
        widths = [
            base_channels,
            *(min(base_channels * 2 ** (step + 1), channels) for step in range(halvings - 1)),
            channels,
        ]
        self.convs = nn.ModuleList([nn.Conv2d(1, base_channels, 5, padding=2)])
        self.convs.extend(nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in pairwise(widths))

    def forward(self, sketch_B1HW: Tensor) -> Tensor:
        x_BCHW = sketch_B1HW
        for conv in self.convs:
            x_BCHW = F.relu(F.instance_norm(conv(x_BCHW)))
        return x_BCHW
