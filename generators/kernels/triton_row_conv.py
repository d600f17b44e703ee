"""The Triton kernel of `row_conv`."""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK_M, _BLOCK_K = 128, 64


def row_conv(
    x_BCHW: Tensor,
    matrix_KN: Tensor,
    bias_C: Tensor,
    out_channels: int,
    rows: int,
    columns: int,
    group: int,
    squash: bool,
) -> Tensor:
    batch, channels, height, width = x_BCHW.shape
    out_height, out_width = height - rows + 1, width - columns + 1
    dtype = torch.float32 if squash else x_BCHW.dtype
    out = torch.empty(batch, out_height, out_width, out_channels, device=x_BCHW.device, dtype=dtype)
    groups = out_width // group
    outputs = group * out_channels
    _row_conv[(triton.cdiv(groups, _BLOCK_M), out_height, batch)](
        x_BCHW,
        matrix_KN,
        bias_C,
        out,
        groups,
        out_height,
        x_BCHW.stride(0),
        x_BCHW.stride(2),
        STEP=group * channels,
        SPAN=(group + columns - 1) * channels,
        ROWS=rows,
        OUTPUTS=outputs,
        CHANNELS=out_channels,
        SQUASH=squash,
        BLOCK_M=_BLOCK_M,
        BLOCK_N=max(16, triton.next_power_of_2(outputs)),
        BLOCK_K=_BLOCK_K,
        num_warps=4,
        num_stages=4,
    )
    return out.permute(0, 3, 1, 2)


@triton.jit
def _row_conv(
    x,
    matrix,
    bias,
    out,
    groups,
    out_height,
    x_image,
    x_row,
    STEP: tl.constexpr,
    SPAN: tl.constexpr,
    ROWS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    SQUASH: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    row, image = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    place = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    column = tl.arange(0, BLOCK_N)
    number = tl.arange(0, BLOCK_K)
    there, wanted = place < groups, column < OUTPUTS
    x += image * x_image + row * x_row
    steps: tl.constexpr = (SPAN + BLOCK_K - 1) // BLOCK_K
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for step in range(ROWS * steps):
        kernel_row = step // steps
        k = (step % steps) * BLOCK_K + number
        left = tl.load(
            x + kernel_row * x_row + place[:, None] * STEP + k[None, :],
            mask=there[:, None] & (k < SPAN)[None, :],
            other=0.0,
        )
        right = tl.load(
            matrix + (kernel_row * SPAN + k)[:, None] * OUTPUTS + column[None, :],
            mask=(k < SPAN)[:, None] & wanted[None, :],
            other=0.0,
        )
        total = tl.dot(left, right, total)
    total += tl.load(bias + column % CHANNELS, mask=wanted, other=0.0).to(tl.float32)[None, :]
    if SQUASH:
        total = 2.0 / (1.0 + tl.exp(-2.0 * total)) - 1.0
    to = ((image * out_height + row) * groups + place)[:, None] * OUTPUTS + column[None, :]
    tl.store(out + to, total.to(out.dtype.element_ty), mask=there[:, None] & wanted[None, :])
