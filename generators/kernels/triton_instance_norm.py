"""The Triton kernels of `instance_norm`. Maps are channels last, without gaps in memory unless strides say so."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from generators.kernels.triton_tiles import inside_border

_TILE = 4096  # elements a step
_PROGRAMS = 512  # that share an image: several for every multiprocessor


def mean_and_spread(x_BCHW: Tensor, eps: float | None) -> tuple[Tensor, Tensor]:
    """Of each channel of each image, B x C, float32: mean, and variance or with `eps` 1 / sqrt(variance + eps)."""
    batch, channels, height, width = x_BCHW.shape
    pixels = height * width
    block_c = min(128, triton.next_power_of_2(channels))
    block_p = _TILE // block_c
    parts = max(1, min(_PROGRAMS // triton.cdiv(channels, block_c), triton.cdiv(pixels, block_p)))
    each = triton.cdiv(triton.cdiv(pixels, parts), 2 * block_p) * 2 * block_p
    parts = triton.cdiv(pixels, each)
    means = torch.empty(batch, parts, channels, device=x_BCHW.device, dtype=torch.float32)
    squares = torch.empty_like(means)
    grid = (parts, triton.cdiv(channels, block_c), batch)
    _partial_moments[grid](
        x_BCHW, means, squares, pixels, parts, channels, STEPS=each // block_p, BLOCK_P=block_p, BLOCK_C=block_c
    )
    mean = torch.empty(batch, channels, device=x_BCHW.device, dtype=torch.float32)
    variance = torch.empty_like(mean)
    block_c = min(8, triton.next_power_of_2(channels))
    _joined_moments[(triton.cdiv(channels, block_c), batch)](
        means,
        squares,
        mean,
        variance,
        pixels,
        channels,
        parts,
        each,
        0.0 if eps is None else eps,
        RECIPROCAL=eps is not None,
        BLOCK_S=triton.next_power_of_2(parts),
        BLOCK_C=block_c,
    )
    return mean, variance


def normalise(
    x_BCHW: Tensor, mean_BC: Tensor, rstd_BC: Tensor, rectify: bool, add_BCHW: Tensor | None, border: int
) -> Tensor:
    batch, channels, height, width = x_BCHW.shape
    out = x_BCHW.new_empty(batch, height + 2 * border, width + 2 * border, channels).permute(0, 3, 1, 2)
    add = x_BCHW if add_BCHW is None else add_BCHW
    if add.stride(1) != 1:
        add = add.contiguous(memory_format=torch.channels_last)
    block_c = min(128, triton.next_power_of_2(channels))
    block_p = _TILE // block_c
    pixels = out.shape[2] * out.shape[3]
    grid = (triton.cdiv(pixels, block_p), triton.cdiv(channels, block_c), batch)
    _normalise[grid](
        x_BCHW,
        mean_BC,
        rstd_BC,
        add,
        out,
        height,
        width,
        add.stride(0),
        add.stride(2),
        add.stride(3),
        channels,
        BORDER=border,
        RECTIFY=rectify,
        ADD=add_BCHW is not None,
        BLOCK_P=block_p,
        BLOCK_C=block_c,
    )
    return out


@triton.jit
def _partial_moments(
    x,
    means,
    squares,
    pixels,
    parts,
    channels: tl.constexpr,
    STEPS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Mean, and sum of squared distances from it, of one part of the pixels. Around a pixel's value, not around 0."""
    part, image = tl.program_id(0), tl.program_id(2).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    inside = channel < channels
    each = STEPS * BLOCK_P
    first = part * each
    x += image * pixels * channels
    around = tl.load(x + first.to(tl.int64) * channels + channel, mask=inside, other=0.0).to(tl.float32)
    total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
    square = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
    for step in range(STEPS // 2):
        # Two tiles are on their way at a time.
        pixel = first + 2 * step * BLOCK_P + tl.arange(0, BLOCK_P)
        there = (pixel < pixels)[:, None] & inside[None, :]
        next_there = (pixel + BLOCK_P < pixels)[:, None] & inside[None, :]
        at = pixel.to(tl.int64)[:, None] * channels + channel[None, :]
        value = tl.load(x + at, mask=there, other=0.0)
        next_value = tl.load(x + at + BLOCK_P * channels, mask=next_there, other=0.0)
        value = tl.where(there, value.to(tl.float32) - around[None, :], 0.0)
        total += value
        square += value * value
        value = tl.where(next_there, next_value.to(tl.float32) - around[None, :], 0.0)
        total += value
        square += value * value
    count = tl.minimum(each, pixels - first).to(tl.float32)
    shift = tl.sum(total, axis=0) / count
    to = (image * parts + part) * channels + channel
    tl.store(means + to, around + shift, mask=inside)
    tl.store(squares + to, tl.maximum(tl.sum(square, axis=0) - shift * shift * count, 0.0), mask=inside)


@triton.jit
def _joined_moments(
    means,
    squares,
    mean_out,
    variance_out,
    pixels,
    channels,
    parts,
    each,
    eps,
    RECIPROCAL: tl.constexpr,
    BLOCK_S: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """The parts put together: what each varies in itself, and what their means vary."""
    image = tl.program_id(1)
    channel = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    part = tl.arange(0, BLOCK_S)
    there = (part < parts)[:, None] & (channel < channels)[None, :]
    at = (image * parts + part)[:, None] * channels + channel[None, :]
    mean = tl.load(means + at, mask=there, other=0.0)
    square = tl.load(squares + at, mask=there, other=0.0)
    count = tl.maximum(tl.minimum(each, pixels - part * each), 0).to(tl.float32)[:, None]
    all_mean = tl.sum(mean * count, axis=0) / pixels
    apart = tl.where(there, mean - all_mean[None, :], 0.0)
    variance = tl.sum(square + apart * apart * count, axis=0) / pixels
    to = image * channels + channel
    tl.store(mean_out + to, all_mean, mask=channel < channels)
    if RECIPROCAL:
        variance = 1.0 / tl.sqrt(variance + eps)
    tl.store(variance_out + to, variance, mask=channel < channels)


@triton.jit
def _normalise(
    x,
    mean,
    rstd,
    add,
    out,
    height,
    width,
    add_image,
    add_row,
    add_column,
    channels: tl.constexpr,
    BORDER: tl.constexpr,
    RECTIFY: tl.constexpr,
    ADD: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    image = tl.program_id(2).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    inside = channel < channels
    wide = width + 2 * BORDER
    pixels = (height + 2 * BORDER) * wide
    pixel = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    row, column = inside_border(pixel, height, width, BORDER)
    there = (pixel < pixels)[:, None] & inside[None, :]
    read = (image * height * width + row * width + column)[:, None] * channels + channel[None, :]
    value = tl.load(x + read, mask=there, other=0.0).to(tl.float32)
    of = image * channels + channel
    middle = tl.load(mean + of, mask=inside, other=0.0)
    scale = tl.load(rstd + of, mask=inside, other=0.0)
    value = (value - middle[None, :]) * scale[None, :]
    if RECTIFY:
        value = tl.maximum(value, 0.0)
    if ADD:
        at = image * add_image + row.to(tl.int64) * add_row + column * add_column
        value += tl.load(add + at[:, None] + channel[None, :], mask=there, other=0.0).to(tl.float32)
    to = (image * pixels + pixel)[:, None] * channels + channel[None, :]
    tl.store(out + to, value.to(out.dtype.element_ty), mask=there)
