"""A SPADE layer for GPUs: scale and shift as a table of distinct neighbourhoods or as a map, for x without its bias."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.kernels.activate import activate
from generators.kernels.bare_conv import bias_of, conv_of
from generators.kernels.modulate import Table
from generators.kernels.neighbourhoods import hidden_around
from generators.kernels.pixels import pixel_rows
from generators.spade.distinct import Distinct
from generators.spade.folded import fold
from generators.spade.looks import table_of
from generators.spade.modulation import Spade

# So many rows are gathered at a time, 9 x hidden numbers each.
_ROWS_AT_ONCE = 2**16
# With more distinct neighbourhoods than this share of the pixels, convolving all is faster than gathering. Few rows
# are always gathered: that takes fewer steps.
_DENSE_ABOVE = 0.5
_FEW_ROWS = 2**14


class Seen:
    """What the norms of one size see of a layout."""

    def __init__(
        self, looks_BHW: Tensor, vectors: nn.Embedding, distinct: Distinct | None, noise: Tensor | None = None
    ) -> None:
        self.distinct = distinct if distinct is not None and _pays(distinct) else None
        self.noise = noise  # B x Z x 1 x 1, or a map of this size
        self._looks_BHW, self._vectors = looks_BHW, vectors
        self._condition: Tensor | None = None

    def condition(self) -> Tensor:
        """B x S x H x W, channels last: what the plain network is conditioned on, in whole groups of channels."""
        if self._condition is None:
            self._condition = F.embedding(self._looks_BHW, self._vectors.weight).permute(0, 3, 1, 2)
            if self.noise is not None:
                noise = self.noise.to(self._condition.dtype).expand(-1, -1, *self._condition.shape[2:])
                self._condition = torch.cat([self._condition, noise], dim=1)
                self._condition = self._condition.contiguous(memory_format=torch.channels_last)
        return self._condition


def _pays(distinct: Distinct) -> bool:
    rows, pixels = len(distinct.pixel_of_row_N), len(distinct.row_of_pixel_P)
    return rows <= max(_FEW_ROWS, _DENSE_ABOVE * pixels)


class TabledSpade(nn.Module):
    """`vectors_VS` is what each look stands for in the condition; noise of `noise_dim` channels comes behind.

    `bias_of_x_C` is what x lacks: biases before this layer, which it adds to the mean it subtracts.
    """

    hidden_bias: Tensor
    bias: Tensor

    def __init__(self, plain: Spade, vectors_VS: Tensor, bias_of_x_C: Tensor, noise_dim: int = 0) -> None:
        super().__init__()
        shared = plain.shared.weight.detach()
        classes = shared.shape[1] - noise_dim
        taps_TVD = torch.einsum("dsij,vs->ijvd", shared[:, :classes], vectors_VS[:, :classes]).flatten(0, 1)
        # One more look, all zeros, for what lies outside the image.
        self.taps = table_of(F.pad(taps_TVD, (0, 0, 0, 1)).flatten(0, 1))
        noise_weight = shared[:, classes:].permute(2, 3, 0, 1).flatten(0, 2)
        self.noise_taps = table_of(noise_weight) if noise_dim else None
        padding = shared.new_zeros(len(shared), vectors_VS.shape[1] - classes, 3, 3)
        self.shared = conv_of(torch.cat([shared[:, :classes], padding, shared[:, classes:]], dim=1))
        self.register_buffer("hidden_bias", bias_of(plain.shared))
        weight, bias = fold(plain, bias_of_x_C)
        self.both = conv_of(weight)
        self.register_buffer("bias", bias)

    def forward(self, seen: Seen) -> Table:
        """Scale and shift but for `bias`, which is of both."""
        if seen.distinct is None:
            hidden_BDHW = activate(self.shared(seen.condition()), self.hidden_bias, 0.0)
            return Table(pixel_rows(self.both(hidden_BDHW)), None)
        return Table(self._of_distinct(seen.distinct, seen.noise), seen.distinct.row_of_pixel_P)

    def _of_distinct(self, distinct: Distinct, noise: Tensor | None) -> Tensor:
        everywhere_TD = None
        if self.noise_taps is not None and noise is not None:
            taps = self.noise_taps.weight
            everywhere_TD = (taps @ noise.flatten().to(taps.dtype)).view(9, -1)
        # As rows the weight of a channels-last convolution lies in memory as it is needed.
        weight = self.both.weight.permute(0, 2, 3, 1).reshape(len(self.bias), -1)
        outs = []
        for pixels_N in torch.split(distinct.pixel_of_row_N, _ROWS_AT_ONCE):
            hidden = hidden_around(distinct.grid, pixels_N, self.taps.weight, self.hidden_bias, everywhere_TD)
            outs.append(F.linear(hidden, weight))
        return outs[0] if len(outs) == 1 else torch.cat(outs)
