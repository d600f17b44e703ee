"""The Triton kernel of `label_input`."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from generators.kernels.triton_tiles import inside_border

_TILE = 4096  # elements a program writes


def encode(
    labels_BHW: Tensor,
    others_BEHW: Tensor,
    num_channels: int,
    channels: int,
    dtype: torch.dtype,
    border: int,
    halved: bool,
) -> Tensor:
    batch, height, width = labels_BHW.shape
    out_height, out_width = ((side + 1) // 2 if halved else side for side in (height, width))
    shape = (batch, out_height + 2 * border, out_width + 2 * border, channels)
    out = torch.empty(shape, device=labels_BHW.device, dtype=dtype)
    block_c = triton.next_power_of_2(channels)
    block_p = max(1, _TILE // block_c)
    others = others_BEHW if others_BEHW.shape[1] else labels_BHW.unsqueeze(1)
    _encode[(triton.cdiv(shape[1] * shape[2], block_p), batch)](
        labels_BHW,
        others,
        out,
        height,
        width,
        out_height,
        out_width,
        num_channels,
        *labels_BHW.stride(),
        *others.stride(),
        channels,
        BORDER=border,
        HALVED=halved,
        OTHERS=others_BEHW.shape[1],
        BLOCK_P=block_p,
        BLOCK_C=block_c,
    )
    return out.permute(0, 3, 1, 2)


@triton.jit
def _encode(
    labels,
    others,
    out,
    height,
    width,
    out_height,
    out_width,
    num_channels,
    label_image,
    label_row,
    label_column,
    other_image,
    other_channel,
    other_row,
    other_column,
    channels: tl.constexpr,
    BORDER: tl.constexpr,
    HALVED: tl.constexpr,
    OTHERS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    image = tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, BLOCK_C)
    wide = out_width + 2 * BORDER
    pixels = (out_height + 2 * BORDER) * wide
    pixel = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    row, column = inside_border(pixel, out_height, out_width, BORDER)
    there = pixel < pixels
    labels += image * label_image
    others += image * other_image
    if HALVED:
        total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
        count = tl.zeros((BLOCK_P,), tl.float32)
        for tap in tl.static_range(9):
            y, x = 2 * row + tap // 3 - 1, 2 * column + tap % 3 - 1
            seen = there & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            label = tl.load(labels + y.to(tl.int64) * label_row + x * label_column, mask=seen, other=-1)
            total += tl.where(label[:, None] == channel[None, :], 1.0, 0.0)
            count += tl.where(seen, 1.0, 0.0)
            for number in tl.static_range(OTHERS):
                at = number * other_channel + y.to(tl.int64) * other_row + x * other_column
                other = tl.load(others + at, mask=seen, other=0.0).to(tl.float32)
                total += tl.where(channel[None, :] == num_channels + number, other[:, None], 0.0)
        value = total / tl.maximum(count, 1.0)[:, None]
    else:
        label = tl.load(labels + row.to(tl.int64) * label_row + column * label_column, mask=there, other=-1)
        value = tl.where(label[:, None] == channel[None, :], 1.0, 0.0)
        for number in tl.static_range(OTHERS):
            at = number * other_channel + row.to(tl.int64) * other_row + column * other_column
            other = tl.load(others + at, mask=there, other=0.0).to(tl.float32)
            value += tl.where(channel[None, :] == num_channels + number, other[:, None], 0.0)
    to = (image * pixels + pixel)[:, None] * channels + channel[None, :]
    tl.store(out + to, value.to(out.dtype.element_ty), mask=there[:, None] & (channel < channels)[None, :])
