"""Convolutions that see one-hot labels, rewritten: the labels' share of a 3 x 3 convolution is nine rows of a table."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from generators.kernels.bare_conv import conv_of
from generators.kernels.label_taps import LabelTaps, add_label_taps


class LabelConv(nn.Module):
    """Several 3 x 3 convolutions of labels beside a level of the pyramid, as one; each output a map of its own.

    It takes the labels as codes: a class, plus the number of classes where an instance's edge runs. One-hot channels
    would be over a third of the input, and their 36 beside 64 others fill no whole tile of a matrix unit.
    """

    bias: Tensor

    def __init__(
        self, weights: Sequence[Tensor], biases: Sequence[Tensor], num_classes: int, edges: bool, slope: float
    ) -> None:
        super().__init__()
        self.parts, self.slope = len(weights), slope
        weight = torch.cat([each.detach() for each in weights])
        seen = num_classes + edges
        # Held as layers, whose weights are rounded once where a device multiplies in half precision.
        self.table = _table(weight[:, :seen], num_classes)
        self.level = conv_of(weight[:, seen:]) if weight.shape[1] > seen else None
        self.register_buffer("bias", torch.cat([each.detach() for each in biases]))

    def forward(self, codes_B1HW: Tensor, level_BCHW: Tensor | None = None) -> list[Tensor]:
        convolved = None if self.level is None else self.level(level_BCHW)
        taps = LabelTaps(self.table.weight, self.bias)
        return add_label_taps(convolved, codes_B1HW, taps, self.slope, self.parts)


def _table(weight_NSKK: Tensor, num_classes: int) -> nn.Linear:
    """A row for each tap and code: the class's weights, and those of the edge channel added for codes with an edge."""
    rows_TSN = weight_NSKK.permute(2, 3, 1, 0).flatten(0, 1)
    codes_TKN = rows_TSN[:, :num_classes]
    if rows_TSN.shape[1] > num_classes:
        codes_TKN = torch.cat([codes_TKN, codes_TKN + rows_TSN[:, num_classes:]], dim=1)
    rows_KN = codes_TKN.flatten(0, 1).contiguous()
    table = nn.Linear(rows_KN.shape[1], rows_KN.shape[0], bias=False)
    table.weight = nn.Parameter(rows_KN)
    return table
