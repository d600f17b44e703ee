"""x * scale + shift, whatever labels made of them: a map, a table with a row for every pixel, one more coarse map."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.pixels import as_map, pixel_rows
from generators.kernels.support import usable

# Two stacked 3 x 3 convolutions of a nearest enlargement tell at most so many places a side apart in a cell: the first
# two, the last two, and all between them.
PLACES = 5


class Table(NamedTuple):
    """Scale beside shift: a row for every distinct neighbourhood, or (`row_of_pixel_P` None) one for every pixel."""

    both_NC: Tensor
    row_of_pixel_P: Tensor | None


class Cells(NamedTuple):
    """Scale beside shift of every place that a coarse cell has, to be added to a table's.

    `both_BCHW` is on the coarse grid enlarged `min(factor, PLACES)` times; the map modulated is `factor` times as fine.
    """

    both_BCHW: Tensor
    factor: int


def modulate(
    x_BCHW: Tensor,
    table: Table,
    bias_C: Tensor,
    cells: Cells | None = None,
    *,
    doubled: bool = False,
    slope: float = 1.0,
) -> Tensor:
    """leaky_relu(x * scale + shift), channels last, with x enlarged twice (nearest) where asked.

    `bias_C` belongs to scale and shift, one after the other.
    """
    batch, channels, height, width = x_BCHW.shape
    if doubled:
        height, width = 2 * height, 2 * width
    x_PC = pixel_rows(x_BCHW)
    if usable(x_BCHW):
        from generators.kernels.triton_spade import launch_modulate

        y_PC = x_PC.new_empty(batch * height * width, channels)
        launch_modulate(x_PC, y_PC, table, bias_C, cells, (batch, height, width), doubled, slope)
        return as_map(y_PC, batch, height, width)
    if doubled:
        x_PC = pixel_rows(F.interpolate(x_BCHW, scale_factor=2.0, mode="nearest"))
    both_PC = _spread(table.both_NC, table.row_of_pixel_P)
    if cells is not None:
        both_PC = both_PC + _spread(pixel_rows(cells.both_BCHW), cell_of_pixel(cells, batch, height, width))
    scale_PC, shift_PC = (both_PC + bias_C).chunk(2, dim=1)
    y_PC = torch.addcmul(shift_PC, x_PC.float(), scale_PC)
    if slope != 1:
        y_PC = F.leaky_relu_(y_PC, slope)
    return as_map(y_PC.to(x_BCHW.dtype), batch, height, width)


def _spread(both_NC: Tensor, row_of_pixel_P: Tensor | None) -> Tensor:
    both_PC = both_NC if row_of_pixel_P is None else both_NC.index_select(0, row_of_pixel_P)
    return both_PC.float()


def cell_of_pixel(cells: Cells, batch: int, height: int, width: int) -> Tensor:
    """For every pixel of the fine map, the pixel of `cells` that holds for it."""
    factor, device = cells.factor, cells.both_BCHW.device
    rows, columns = (_place(torch.arange(side, device=device), factor) for side in (height, width))
    held = cells.both_BCHW.shape[2:]
    images = torch.arange(batch, device=device).view(-1, 1, 1) * held[0]
    return ((images + rows.view(1, -1, 1)) * held[1] + columns).flatten()


def _place(fine: Tensor, factor: int) -> Tensor:
    within = fine % factor
    if factor <= PLACES:
        return fine
    return fine // factor * PLACES + within.clamp(max=2) + (within - (factor - 3)).clamp(min=0)
