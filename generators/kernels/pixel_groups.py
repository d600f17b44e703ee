"""Convolutions of few output channels, several neighbouring pixels at a time: matrix units want more columns.

`group` pixels of a row become the output channels of one convolution whose kernel is `group - 1` columns wider. It
makes more multiplications, by zeros, and wastes fewer. The result lies in memory just as the plain one would.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelGroups(nn.Module):
    """A stride-1 convolution without padding, its input bordered already; rows of the output divide by `group`."""

    def __init__(self, conv: nn.Conv2d, group: int) -> None:
        super().__init__()
        self.group, self.out_channels = group, conv.out_channels
        weight = conv.weight.detach()
        shifted = [F.pad(weight, (place, group - 1 - place)) for place in range(group)]
        out_channels, in_channels, rows, columns = torch.cat(shifted).shape
        self.conv = nn.Conv2d(in_channels, out_channels, (rows, columns), stride=(1, group), bias=conv.bias is not None)
        self.conv.weight = nn.Parameter(torch.cat(shifted), requires_grad=False)
        if conv.bias is not None:
            self.conv.bias = nn.Parameter(conv.bias.detach().repeat(group), requires_grad=False)

    def forward(self, x_BCHW: Tensor, channels: Tensor | None = None) -> Tensor:
        """With `channels`, the input has only those of its channels, and then zeros."""
        if channels is None:
            return self._ungrouped(self.conv(x_BCHW))
        weight = self.conv.weight.index_select(1, channels)
        weight = F.pad(weight, (0, 0, 0, 0, 0, x_BCHW.shape[1] - len(channels)))
        weight = weight.contiguous(memory_format=torch.channels_last)
        return self._ungrouped(F.conv2d(x_BCHW, weight, self.conv.bias, self.conv.stride))

    def _ungrouped(self, grouped_BGHW: Tensor) -> Tensor:
        batch, _, height, width = grouped_BGHW.shape
        rows = grouped_BGHW.permute(0, 2, 3, 1).reshape(batch, height, width * self.group, self.out_channels)
        return rows.permute(0, 3, 1, 2)
