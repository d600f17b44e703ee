"""A map scaled and shifted by what labels decided for every pixel of it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed, tiles


def scale_and_shift(
    x_BCHW: Tensor, both_BNRW: Tensor, bias_N: Tensor, out_BCHW: Tensor, top: int = 0, doubles: bool = False
) -> None:
    """Writes the R rows from `top` of `out`: x * scale + shift. `both` and its bias hold all scales, then all shifts.

    x (of half the size where it `doubles`) and `out` are whole maps.
    """
    batch, channels, height, width = out_BCHW.shape
    rows = both_BNRW.shape[2]
    if not usable(x_BCHW):
        x = x_BCHW.float()
        if doubles:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        scale, shift = (both_BNRW.float() + bias_N.view(1, -1, 1, 1)).chunk(2, dim=1)
        out_BCHW[:, :, top : top + rows] = torch.addcmul(shift, x[:, :, top : top + rows], scale)
        return
    from generators.kernels.triton_conditional import scaled_kernel

    tile = tiles(channels)
    with launched_on(x_BCHW):
        scaled_kernel[(tile.programs(batch * rows, width, channels),)](
            packed(x_BCHW),
            packed(both_BNRW),
            bias_N,
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
