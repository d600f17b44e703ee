"""A convolution to very few channels leaves most of a processor's vector lanes empty; here they are filled."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RowwiseConv(nn.Module):
    """Every row of the kernel as an output of its own, then the rows summed: equal, and k times as many outputs.

    Three colours fill three lanes of eight; the 21 of seven rows fill 21 of 24.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        if conv.stride != (1, 1) or conv.groups != 1 or conv.dilation != (1, 1):
            raise ValueError(f"only plain convolutions of stride 1 can be taken row by row, not {conv}")
        self.outputs, _, self.rows, self.columns = conv.weight.shape
        self.padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        row_major = conv.weight.detach().permute(2, 0, 1, 3).flatten(0, 1).unsqueeze(2)
        self.register_buffer("weight", row_major.contiguous(memory_format=torch.channels_last))
        bias = torch.zeros(self.outputs) if conv.bias is None else conv.bias.detach().clone()
        self.register_buffer("bias", bias.view(1, -1, 1, 1))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        above, left = self.rows // 2, self.columns // 2
        padded = F.pad(x_BCHW, (left, left, above, above), mode=self.padding_mode)
        by_row = F.conv2d(padded, self.weight)
        height = x_BCHW.shape[2]
        out = by_row[:, : self.outputs, :height] + self.bias
        for row in range(1, self.rows):
            out += by_row[:, row * self.outputs : (row + 1) * self.outputs, row : row + height]
        return out
