"""A SPADE layer rewritten for rendering: its batch norm folded in, each neighbourhood of labels computed once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import one_hot
from generators.spade.label_grid import LabelGrid
from generators.spade.modulation import Spade

# Rows of 9 x hidden gathered at a time: they should still lie in the cache when they are multiplied.
_ROWS_AT_ONCE = 4096
# With more distinct neighbourhoods than this share of the pixels, convolving all is faster than gathering.
_DENSE_ABOVE = 0.5


class Affine(NamedTuple):
    """x * scale + shift is all that is left of normalising and modulating."""

    scale_BCHW: Tensor
    shift_BCHW: Tensor

    def apply(self, x_BCHW: Tensor) -> Tensor:
        return torch.addcmul(self.shift_BCHW, x_BCHW, self.scale_BCHW)


class Rows(NamedTuple):
    """Scale beside shift: a row for every distinct neighbourhood, or (`row_of_pixel_P` None) one for every pixel."""

    both_NC: Tensor
    row_of_pixel_P: Tensor | None
    size: tuple[int, int, int]  # B, H, W

    def spread(self) -> Affine:
        """Laid out over the pixels."""
        at = self.row_of_pixel_P
        both_PC = self.both_NC if at is None else self.both_NC.index_select(0, at)
        scale_BCHW, shift_BCHW = both_PC.view(*self.size, -1).permute(0, 3, 1, 2).chunk(2, dim=1)
        return Affine(scale_BCHW, shift_BCHW)


class FoldedSpade(nn.Module):
    """(1 + gamma) * (x - mean) / sigma + beta = x * scale + shift: scale and shift are convolutions of the labels."""

    tap_table: Tensor
    edge_taps: Tensor
    hidden_bias: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, plain: Spade, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.channels = plain.scale.out_channels
        shared = plain.shared.weight.detach()
        rows_TKD = shared[:, :num_classes].permute(2, 3, 1, 0).flatten(0, 1)
        # One more class, all zeros, for what lies outside the image.
        self.register_buffer("tap_table", F.pad(rows_TKD, (0, 0, 0, 1)).flatten(0, 1).contiguous())
        edge_rows = shared[:, num_classes:].permute(2, 3, 1, 0).flatten(0, 2)
        self.register_buffer("edge_taps", edge_rows.contiguous())
        self.register_buffer("hidden_bias", _bias(plain.shared))
        weight, bias = fold(plain)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, grid: LabelGrid) -> Rows:
        size = (len(grid.labels_BHW), *grid.labels_BHW.shape[1:])
        if grid.distinct_share > _DENSE_ABOVE:
            return Rows(self._everywhere(grid).permute(0, 2, 3, 1).flatten(0, 2), None, size)
        return Rows(self._of_distinct(grid), grid.far_of_pixel_P, size)

    def _everywhere(self, grid: LabelGrid) -> Tensor:
        hidden_BDHW = F.conv2d(self._condition(grid), self._shared_weight(), self.hidden_bias, padding=1)
        return F.conv2d(hidden_BDHW.relu_(), self.weight, self.bias, padding=1)

    def _condition(self, grid: LabelGrid) -> Tensor:
        labels = one_hot(grid.labels_BHW, self.num_classes)
        return torch.cat([labels, grid.edges_BHW.unsqueeze(1)], dim=1) if len(self.edge_taps) else labels

    def _shared_weight(self) -> Tensor:
        """The first convolution's weight back from its rows."""
        classes_TKD = self.tap_table.view(9, self.num_classes + 1, -1)[:, :-1]
        edges_T1D = self.edge_taps.view(9, -1, self.tap_table.shape[1])
        return (
            torch.cat([classes_TKD, edges_T1D], dim=1)
            .permute(2, 1, 0)
            .reshape(-1, classes_TKD.shape[1] + edges_T1D.shape[1], 3, 3)
        )

    def _of_distinct(self, grid: LabelGrid) -> Tensor:
        """Scale and shift of every distinct neighbourhood: N x 2C."""
        hidden_MD = self._near_hidden(grid)
        matrix = self.weight.permute(2, 3, 1, 0).flatten(0, 2)
        outs = []
        for start in range(0, len(grid.far_near_N9), _ROWS_AT_ONCE):
            rows_N9 = grid.far_near_N9[start : start + _ROWS_AT_ONCE]
            gathered = hidden_MD.index_select(0, rows_N9.flatten()).view(len(rows_N9), -1)
            outs.append(torch.addmm(self.bias, gathered, matrix))
        return torch.cat(outs)

    def _near_hidden(self, grid: LabelGrid) -> Tensor:
        """Hidden features of the distinct 3 x 3 neighbourhoods, after a row of zeros for what lies outside."""
        offsets = torch.arange(9, device=grid.near_labels_M9.device) * (self.num_classes + 1)
        hidden = F.embedding_bag(grid.near_labels_M9 + offsets, self.tap_table, mode="sum") + self.hidden_bias
        if len(self.edge_taps):
            hidden = torch.addmm(hidden, grid.near_edges_M9, self.edge_taps)
        return F.pad(hidden.relu_(), (0, 0, 1, 0))


def fold(plain: Spade, bias_of_x_C: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that gives scale and shift together, for x without a bias that it had."""
    norm = plain.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    sigma = torch.sqrt(norm.running_var + norm.eps)
    mean = norm.running_mean if bias_of_x_C is None else norm.running_mean - bias_of_x_C
    scale_weight = plain.scale.weight.detach() / sigma.view(-1, 1, 1, 1)
    scale_bias = (1 + _bias(plain.scale)) / sigma
    shift_weight = plain.shift.weight.detach() - mean.view(-1, 1, 1, 1) * scale_weight
    shift_bias = _bias(plain.shift) - mean * scale_bias
    return torch.cat([scale_weight, shift_weight]), torch.cat([scale_bias, shift_bias])


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias.detach()
