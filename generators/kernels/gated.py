"""What ends a conditional convolution: the gate, the activation, and the shortcut beside it, in one pass."""

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable
from generators.kernels.tiles import launched_on, packed, tiles


def gated(
    mixed_BCHW: Tensor,
    mix_bias_C: Tensor,
    gates_BCHW: Tensor,
    gate_bias_C: Tensor,
    side_BCHW: Tensor | None = None,
) -> Tensor:
    """leaky ReLU((mixed + bias) * sigmoid(gates + bias), 0.2) + side, doubled where half as large. Uses `mixed` up."""
    doubles = side_BCHW is not None and side_BCHW.shape[2:] != mixed_BCHW.shape[2:]
    if not usable(mixed_BCHW):
        value = mixed_BCHW.float() + mix_bias_C.view(1, -1, 1, 1)
        gate = torch.sigmoid(gates_BCHW.float() + gate_bias_C.view(1, -1, 1, 1))
        value = F.leaky_relu(value * gate, 0.2)
        if side_BCHW is not None:
            value += F.interpolate(side_BCHW, scale_factor=2.0, mode="nearest") if doubles else side_BCHW
        return value.to(mixed_BCHW.dtype)
    from generators.kernels.triton_conditional import gated_kernel

    mixed_BCHW = packed(mixed_BCHW)
    batch, channels, height, width = mixed_BCHW.shape
    tile = tiles(channels)
    with launched_on(mixed_BCHW):
        gated_kernel[(tile.programs(batch * height, width, channels),)](
            mixed_BCHW,
            mix_bias_C,
            packed(gates_BCHW),
            gate_bias_C,
            mixed_BCHW if side_BCHW is None else packed(side_BCHW),
            height,
            width,
            CHANNELS=channels,
            SIDE=side_BCHW is not None,
            DOUBLES=doubles,
            PIXELS=tile.pixels,
            BLOCK=tile.channels,
            num_warps=tile.warps,
        )
    return mixed_BCHW
