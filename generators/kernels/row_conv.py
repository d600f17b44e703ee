"""Convolutions with few input or output channels as matrix products over rows of a channels-last map.

A kernel row over some neighbouring pixels is one stretch of memory, so a product has no column of it that is padding:
libraries fill channels up to what their tiles hold, 49 times in a 7 x 7 kernel. Several pixels of a row are computed as
one, for the same reason: their outputs lie side by side as the columns of the product.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.kernels.bare_conv import bias_of
from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed


class RowConv(nn.Module):
    """A stride-1 convolution without padding, its input bordered already; rows of the output divide by `group`.

    With `squash`, tanh is taken of it, in float32.
    """

    matrix_KN: Tensor

    def __init__(self, conv: nn.Conv2d, group: int, squash: bool = False) -> None:
        super().__init__()
        self.group, self.squash = group, squash
        # Asked of the weights, it would make a recording wait for the device.
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        self.rows, self.columns = (int(side) for side in conv.kernel_size)
        weight = conv.weight.detach()
        shifted = torch.cat([F.pad(weight, (place, group - 1 - place)) for place in range(group)])
        # Of the plain form; the kernel's matrix has a row for each number of a stretch, kernel row by kernel row.
        self.conv = nn.Conv2d(
            self.in_channels, len(shifted), (self.rows, self.columns + group - 1), stride=(1, group), bias=False
        )
        self.conv.weight = nn.Parameter(shifted, requires_grad=False)
        self.adds_bias = conv.bias is not None
        self.bias = nn.Parameter(bias_of(conv), requires_grad=False)
        self.register_buffer("matrix_KN", shifted.permute(2, 3, 1, 0).reshape(-1, len(shifted)).contiguous())

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if x_BCHW.dtype != torch.float32 and usable(x_BCHW):
            from generators.kernels import triton_row_conv

            x_BCHW = packed(x_BCHW)
            if self.matrix_KN.dtype != x_BCHW.dtype:
                self.matrix_KN = self.matrix_KN.to(x_BCHW.dtype)
            with launched_on(x_BCHW):
                return triton_row_conv.row_conv(
                    x_BCHW,
                    self.matrix_KN,
                    self.bias,
                    self.out_channels,
                    self.rows,
                    self.columns,
                    self.group,
                    self.squash,
                )
        out = self._ungrouped(self.conv(x_BCHW))
        if self.squash:
            return torch.tanh(out.float() + self.bias.view(-1, 1, 1))
        return out + self.bias.view(-1, 1, 1).to(out.dtype) if self.adds_bias else out

    def _ungrouped(self, grouped_BGHW: Tensor) -> Tensor:
        batch, _, height, width = grouped_BGHW.shape
        rows = grouped_BGHW.permute(0, 2, 3, 1).reshape(batch, height, width * self.group, self.out_channels)
        return rows.permute(0, 3, 1, 2)
