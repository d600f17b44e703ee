"""A convolution whose numbers are known: what others are folded into."""

from collections.abc import Sequence

from torch import Tensor, nn


def conv_of(
    weight: Tensor, bias: Tensor, stride: Sequence[int] = (1, 1), padding: str | Sequence[int] = (1, 1)
) -> nn.Conv2d:
    """A convolution with these numbers."""
    out_channels, in_channels, *size = weight.shape
    conv = nn.Conv2d(in_channels, out_channels, tuple(size), tuple(stride), padding)  # type: ignore[arg-type]
    conv.weight.data, conv.bias = weight, nn.Parameter(bias)
    return conv
