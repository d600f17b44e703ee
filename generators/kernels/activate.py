"""A convolution's bias and its activation in one pass, in place."""

import torch.nn.functional as F
from torch import Tensor

from generators.kernels.pixels import as_map, pixel_rows
from generators.kernels.support import usable


def activate(x_BCHW: Tensor, bias_C: Tensor, slope: float) -> Tensor:
    """leaky_relu(x + bias), channels last; a slope of 0 is relu. `x_BCHW` is overwritten where its memory fits."""
    batch, _, height, width = x_BCHW.shape
    x_PC = pixel_rows(x_BCHW)
    if usable(x_BCHW):
        from generators.kernels.triton_spade import launch_activate

        launch_activate(x_PC, bias_C, slope)
        return as_map(x_PC, batch, height, width)
    return as_map(F.leaky_relu_(x_PC + bias_C, slope).to(x_BCHW.dtype), batch, height, width)
