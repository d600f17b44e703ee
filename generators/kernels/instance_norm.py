"""Instance norm for rendering: statistics in one pass over a map, and one more that does all that comes after them.

That second pass normalises, rectifies, adds what the result is to be added to, and writes it with a reflected border,
so that the convolution which follows needs none. Plain PyTorch takes six passes for the same.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed


class Moments(NamedTuple):
    """Of every channel of every image, in float32."""

    mean_BC: Tensor
    rstd_BC: Tensor


def moments(x_BCHW: Tensor, eps: float = 1e-5, over_layer: bool = False) -> Moments:
    """Mean and 1 / sqrt(variance + eps) of each channel, or of all channels of an image together."""
    if usable(x_BCHW):
        from generators.kernels import triton_instance_norm

        x_BCHW = packed(x_BCHW)
        with launched_on(x_BCHW):
            if not over_layer:
                return Moments(*triton_instance_norm.mean_and_spread(x_BCHW, eps))
            mean_BC, variance_BC = triton_instance_norm.mean_and_spread(x_BCHW, None)
    else:
        variance_BC, mean_BC = torch.var_mean(x_BCHW.float(), dim=(2, 3), correction=0)
    if over_layer:
        mean_B1 = mean_BC.mean(dim=1, keepdim=True)
        spread_B1 = (variance_BC + (mean_BC - mean_B1).square()).mean(dim=1, keepdim=True)
        mean_BC, variance_BC = mean_B1.expand_as(mean_BC).contiguous(), spread_B1.expand_as(mean_BC).contiguous()
    return Moments(mean_BC, torch.rsqrt(variance_BC + eps))


def normalise(
    x_BCHW: Tensor, of: Moments, rectify: bool = False, add_BCHW: Tensor | None = None, border: int = 0
) -> Tensor:
    """relu?((x - mean) * rstd) + add, channels last, with a reflected border of so many pixels."""
    if usable(x_BCHW):
        from generators.kernels import triton_instance_norm

        x_BCHW = packed(x_BCHW)
        with launched_on(x_BCHW):
            return triton_instance_norm.normalise(x_BCHW, of.mean_BC, of.rstd_BC, rectify, add_BCHW, border)
    out = (x_BCHW.float() - of.mean_BC[:, :, None, None]) * of.rstd_BC[:, :, None, None]
    if rectify:
        out = F.relu(out)
    if add_BCHW is not None:
        out = out + add_BCHW.float()
    return with_border(out.to(x_BCHW.dtype), border)


def with_border(x_BCHW: Tensor, border: int) -> Tensor:
    """A map with a reflected border."""
    return F.pad(x_BCHW, [border] * 4, mode="reflect") if border else x_BCHW


def without_border(x_BCHW: Tensor, border: int) -> Tensor:
    """The map inside its border; no copy."""
    height, width = x_BCHW.shape[2:]
    return x_BCHW[:, :, border : height - border, border : width - border]
