"""Convolutions as fused forms want them: no bias, which the pass after them adds, and channels in whole groups."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Matrix units read channels in groups of eight.
_GROUP = 8


def whole_groups(channels: int) -> int:
    """The next multiple of what matrix units read together."""
    return -(-channels // _GROUP) * _GROUP


def conv_of(weight: Tensor, stride: int = 1) -> nn.Conv2d:
    """A convolution of this weight that keeps the size at stride 1, without a bias."""
    outputs, inputs, kernel, _ = weight.shape
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    conv.weight = nn.Parameter(weight.detach().clone())
    return conv


def padded_conv(conv: nn.Conv2d, inputs: int | None = None, outputs: int | None = None) -> nn.Conv2d:
    """The convolution without its bias, with input and output channels of zeros behind its own."""
    weight = conv.weight.detach()
    more_inputs = 0 if inputs is None else inputs - weight.shape[1]
    more_outputs = 0 if outputs is None else outputs - weight.shape[0]
    weight = F.pad(weight, (0, 0, 0, 0, 0, more_inputs, 0, more_outputs))
    return conv_of(weight, conv.stride[0])


def bias_of(conv: nn.Conv2d) -> Tensor:
    """The bias of a convolution, zeros where it has none."""
    return torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.detach().clone()
