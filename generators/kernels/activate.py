"""A convolution's bias and its activation in one pass, in place; and a coarser map added to it."""

import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed, tiles


def activate(x_BCHW: Tensor, bias_C: Tensor, slope: float, coarse_BCHW: Tensor | None = None) -> Tensor:
    """leaky_relu(x + bias) + the coarser map at twice its size, channels last; a slope of 0 is relu. `x` is used up."""
    if not usable(x_BCHW):
        value = F.leaky_relu(x_BCHW.float() + bias_C.view(1, -1, 1, 1), slope)
        if coarse_BCHW is not None:
            value += F.interpolate(coarse_BCHW, scale_factor=2.0, mode="nearest")
        return packed(value.to(x_BCHW.dtype))
    from generators.kernels.triton_conditional import activate_kernel

    x_BCHW = packed(x_BCHW)
    batch, channels, height, width = x_BCHW.shape
    tile = tiles(channels)
    with launched_on(x_BCHW):
        activate_kernel[(tile.programs(batch * height, width, channels),)](
            x_BCHW,
            bias_C,
            x_BCHW if coarse_BCHW is None else packed(coarse_BCHW),
            height,
            width,
            CHANNELS=channels,
            SLOPE=slope,
            COARSE=coarse_BCHW is not None,
            PIXELS=tile.pixels,
            BLOCK=tile.channels,
            num_warps=tile.warps,
        )
    return x_BCHW
