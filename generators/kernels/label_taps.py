"""A 3 x 3 convolution whose input is a map beside one-hot labels: the labels' part is nine rows looked up and added."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed, tap_tiles

TAPS = 9


class LabelTaps(NamedTuple):
    """Row `tap * num_codes + code` of the table is what a pixel of that code adds to its neighbour at that tap."""

    table_KN: Tensor
    bias_N: Tensor


def add_label_taps(
    level_BNHW: Tensor | None, codes_B1HW: Tensor, taps: LabelTaps, slope: float, parts: int = 1
) -> list[Tensor]:
    """leaky ReLU(level + bias + what the codes around each pixel add), its channels in so many equal parts.

    Each part is a map of its own: convolutions that take one of them need no copy.
    """
    batch, _, height, width = codes_B1HW.shape
    channels = taps.table_KN.shape[1] // parts
    dtype = taps.table_KN.dtype if level_BNHW is None else level_BNHW.dtype
    if not usable(codes_B1HW):
        whole = _added(level_BNHW, codes_B1HW, taps, slope).to(dtype)
        return [packed(part) for part in whole.chunk(parts, dim=1)]
    from generators.kernels.triton_conditional import label_taps_kernel

    out = taps.table_KN.new_empty(parts, batch, height, width, channels, dtype=dtype)
    tile = tap_tiles(channels)
    with launched_on(codes_B1HW):
        label_taps_kernel[(parts * tile.programs(batch * height, width, channels),)](
            out if level_BNHW is None else packed(level_BNHW),
            codes_B1HW.contiguous(),
            taps.table_KN,
            taps.bias_N,
            out,
            height,
            width,
            batch * height * width,
            CODES=len(taps.table_KN) // TAPS,
            PARTS=parts,
            CHANNELS=channels,
            SLOPE=slope,
            LEVEL=level_BNHW is not None,
            PIXELS=tile.pixels,
            BLOCK=tile.channels,
            num_warps=tile.warps,
        )
    return [part.permute(0, 3, 1, 2) for part in out]


def _added(level_BNHW: Tensor | None, codes_B1HW: Tensor, taps: LabelTaps, slope: float) -> Tensor:
    num_codes = len(taps.table_KN) // TAPS
    height, width = codes_B1HW.shape[2:]
    # One more row, of zeros, for what lies outside the image.
    table = F.pad(taps.table_KN.float(), (0, 0, 0, 1))
    outside = len(table) - 1
    padded = F.pad(codes_B1HW[:, 0].long(), (1, 1, 1, 1), value=-1)
    total = taps.bias_N.view(1, 1, 1, -1).float()
    for tap in range(TAPS):
        row, column = divmod(tap, 3)
        code = padded[:, row : row + height, column : column + width]
        total = total + table[torch.where(code < 0, outside, tap * num_codes + code)]
    total = total.permute(0, 3, 1, 2)
    return F.leaky_relu(total if level_BNHW is None else total + level_BNHW, slope)
