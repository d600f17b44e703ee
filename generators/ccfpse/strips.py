"""Layers a few rows at a time, so that what they predict per pixel stays small."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.ccfpse.codes import Codes
from generators.minimal_filtering import OF_FOUR, convolved
from generators.spade.stages import double

# What one tap's kernels of a strip take should lie in the cache; thinner strips repeat more of what they overlap in.
_PIXELS_AT_ONCE = 2**12
_LEAST_ROWS = 8


class Grid(NamedTuple):
    """What steers the layers of one size, and whether activations come at half of it, to be doubled."""

    codes_B1HW: Tensor
    codes: Codes
    level_BCHW: Tensor  # of the pyramid
    doubles: bool

    def strips(self) -> "Iterator[Strip]":
        """The grid cut into strips, top to bottom."""
        height, width = self.level_BCHW.shape[2:]
        rows = max(_LEAST_ROWS, _PIXELS_AT_ONCE // width)
        rows = -(-rows // OF_FOUR.tile) * OF_FOUR.tile
        for top in range(0, height, rows):
            yield Strip(self, top, min(top + rows, height))


class Strip(NamedTuple):
    """Some rows of a grid."""

    grid: Grid
    top: int
    bottom: int

    def hidden(self, conv: nn.Module) -> Tensor:
        """ReLU of a convolution of the steering, rows top - 1 to bottom; zeros where those lie outside the image."""
        height = self.grid.level_BCHW.shape[2]
        rows = slice(max(self.top - 2, 0), self.bottom + 2)
        labels = self.grid.codes.channels(self.grid.codes_B1HW[:, :, rows])
        steering = torch.cat([labels, self.grid.level_BCHW[:, :, rows]], dim=1)
        above, below = max(2 - self.top, 0), max(self.bottom + 2 - height, 0)
        padded = F.pad(steering, (0, 0, above, below))
        features = F.relu_(convolved(conv, padded, (0, 1)))
        if self.top == 0:
            features[:, :, 0] = 0
        if self.bottom == height:
            features[:, :, -1] = 0
        return features

    def of(
        self,
        x_BCHW: Tensor,
        doubles: bool,
        halo: int = 0,
        first: Callable[[Tensor], Tensor] | None = None,
        above: Tensor | None = None,
    ) -> Tensor:
        """These rows of an activation, after `first`, doubled if that is still to be done, with a border of zeros.

        `above` is the row above them where the activation has lost it.
        """
        height = self.grid.level_BCHW.shape[2]
        top, bottom = max(self.top - halo, 0), min(self.bottom + halo, height)
        part = x_BCHW[:, :, top // 2 : (bottom + 1) // 2] if doubles else x_BCHW[:, :, top:bottom]
        if above is not None:
            part = torch.cat([above, part[:, :, halo:]], dim=2)
        part = part if first is None else first(part)
        if doubles:
            part = double(part)[:, :, top % 2 : top % 2 + bottom - top]
        if not halo:
            return part
        return F.pad(part, (halo, halo, top - (self.top - halo), self.bottom + halo - bottom))


def inner(conv: nn.Module, hidden_BDHW: Tensor) -> Tensor:
    """A 3 x 3 convolution of a strip that brings its own halo."""
    return convolved(conv, hidden_BDHW, (0, 1))
