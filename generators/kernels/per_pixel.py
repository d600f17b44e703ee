"""Per-pixel depthwise convolution of a normalised map: every pixel of every channel has its own 3 x 3 kernel."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed, tap_tiles

TAPS = 9


class PerPixel(NamedTuple):
    """What is the same for all pixels: a bias of the kernels, tap after tap; scale and shift that normalise."""

    bias_N: Tensor
    scale_C: Tensor
    shift_C: Tensor


def filter_per_pixel(
    x_BCHW: Tensor, kernels_BNRW: Tensor, same: PerPixel, out_BCHW: Tensor, top: int = 0, doubles: bool = False
) -> None:
    """Writes the R rows from `top` of `out`; x (of half the size where it `doubles`) and `out` are whole maps.

    out[c, i, j] = sum over t of (kernels + bias)[t C + c, i, j] * n[c, i + t // 3 - 1, j + t % 3 - 1], where n is
    x * scale + shift inside the image and zero outside.
    """
    batch, channels, height, width = out_BCHW.shape
    if kernels_BNRW.shape[:2] != (batch, TAPS * channels) or kernels_BNRW.shape[3] != width:
        raise ValueError(
            f"per-pixel kernels have shape {tuple(kernels_BNRW.shape)}; "
            f"expected {(batch, TAPS * channels, 'rows', width)}, nine per channel and pixel"
        )
    rows = kernels_BNRW.shape[2]
    if not usable(x_BCHW):
        out_BCHW[:, :, top : top + rows] = _filtered(x_BCHW, kernels_BNRW, same, top, doubles)
        return
    from generators.kernels.triton_conditional import per_pixel_kernel

    tile = tap_tiles(channels)
    with launched_on(x_BCHW):
        per_pixel_kernel[(tile.programs(batch * rows, width, channels),)](
            packed(x_BCHW),
            packed(kernels_BNRW),
            same.bias_N,
            same.scale_C,
            same.shift_C,
            out_BCHW,
            rows,
            height,
            width,
            top,
            CHANNELS=channels,
            DOUBLES=doubles,
            PIXELS=tile.pixels,
            BLOCK=tile.channels,
            num_warps=tile.warps,
        )


def _filtered(x_BCHW: Tensor, kernels_BNRW: Tensor, same: PerPixel, top: int, doubles: bool) -> Tensor:
    batch, taps_channels, rows, columns = kernels_BNRW.shape
    kernels = (kernels_BNRW.float() + same.bias_N.view(1, -1, 1, 1)).view(batch, TAPS, -1, rows, columns)
    normalised = torch.addcmul(same.shift_C.view(1, -1, 1, 1), x_BCHW.float(), same.scale_C.view(1, -1, 1, 1))
    if doubles:
        normalised = F.interpolate(normalised, scale_factor=2.0, mode="nearest")
    padded = F.pad(normalised, (1, 1, 1, 1))
    total = kernels.new_zeros(batch, taps_channels // TAPS, rows, columns)
    for tap in range(TAPS):
        row, column = divmod(tap, 3)
        total += kernels[:, tap] * padded[:, :, top + row : top + row + rows, column : column + columns]
    return total
