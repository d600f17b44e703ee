"""Layers a few rows at a time, so that what they predict per pixel stays small."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PIXELS_AT_ONCE = 2**14

Steered = Callable[[nn.Conv2d], Tensor]


def by_strips(layer: Callable[[Tensor, Steered], Tensor], x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
    """The layer gets x with a row of halo above and below, and a way to have hidden features of the same rows."""
    height, width = x_BCHW.shape[2:]
    rows = max(1, _PIXELS_AT_ONCE // width)
    x_padded = F.pad(x_BCHW, (0, 0, 1, 1))
    strips = []
    for top in range(0, height, rows):
        bottom = min(top + rows, height)

        def steered(conv: nn.Conv2d, top: int = top, bottom: int = bottom) -> Tensor:
            return _hidden(conv, steering_BQHW, top, bottom)

        strips.append(layer(x_padded[:, :, top : bottom + 2], steered))
    return torch.cat(strips, dim=2)


def inner(conv: nn.Conv2d, hidden_BDHW: Tensor) -> Tensor:
    """A 3 x 3 convolution of a strip that brings its own halo."""
    return F.conv2d(hidden_BDHW, conv.weight, conv.bias, padding=(0, 1))


def _hidden(conv: nn.Conv2d, steering_BQHW: Tensor, top: int, bottom: int) -> Tensor:
    """ReLU of a convolution of the steering map, rows top - 1 to bottom; zeros where those lie outside the image."""
    height = steering_BQHW.shape[2]
    above, below = max(2 - top, 0), max(bottom + 2 - height, 0)
    padded = F.pad(steering_BQHW[:, :, max(top - 2, 0) : bottom + 2], (0, 0, above, below))
    features = F.relu_(F.conv2d(padded, conv.weight, conv.bias, padding=(0, 1)))
    if top == 0:
        features[:, :, 0] = 0
    if bottom == height:
        features[:, :, -1] = 0
    return features
