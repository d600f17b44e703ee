"""Spatially-adaptive normalisation: the label map decides scale and shift of every normalised activation."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from generators.precision import widened

# Batch statistics can drift to zero variance on flat label maps; the papers' epsilon is PyTorch's default.
EPSILON = 1e-5


class Modulation(NamedTuple):
    """Scale and shift of one layer: `normalised * (1 + scale) + shift`."""

    scale_BCHW: Tensor
    shift_BCHW: Tensor

    def apply(self, normalised_BCHW: Tensor) -> Tensor:
        return widened(normalised_BCHW) * (1 + self.scale_BCHW) + self.shift_BCHW


class Spade(nn.Module):
    """SPADE(x, m); with a global map u added to the hidden features it is the DG-Norm of Lab2Pix-V2.

    None of the three convolutions is spectrally normalised (the paper says otherwise, its networks do this).
    """

    def __init__(self, channels: int, condition_channels: int, hidden: int = 128) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=EPSILON, affine=False)
        self.shared = nn.Conv2d(condition_channels, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def modulation(self, condition_BSHW: Tensor, global_map_BDHW: Tensor | None = None) -> Modulation:
        """Scale and shift: they depend on the labels alone, never on the image."""
        hidden_BDHW = F.relu(self.shared(condition_BSHW))
        if global_map_BDHW is not None:
            hidden_BDHW = hidden_BDHW + global_map_BDHW
        return Modulation(self.scale(hidden_BDHW), self.shift(hidden_BDHW))

    def forward(self, x_BCHW: Tensor, condition_BSHW: Tensor, global_map_BDHW: Tensor | None = None) -> Tensor:
        return self.modulation(condition_BSHW, global_map_BDHW).apply(self.norm(x_BCHW))
