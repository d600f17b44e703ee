"""The Triton kernels of SPADE's fast path. Imported only where they can run."""

import triton
import triton.language as tl
from torch import Tensor

from generators.kernels.modulate import PLACES, Cells, Table
from generators.kernels.neighbourhoods import Decimated
from generators.kernels.pixels import pixel_rows
from generators.kernels.tiles import launched_on

_ELEMENTS = 2048  # of a program: 16 a thread, two accesses of 16 bytes in bfloat16
_MOST_CHANNELS = 128


@triton.jit
def _place(fine, factor, PLACES: tl.constexpr, FEWER: tl.constexpr):  # type: ignore[no-untyped-def]
    if FEWER:
        within = fine % factor
        fine = fine // factor * PLACES + tl.minimum(within, 2) + tl.maximum(within - (factor - 3), 0)
    return fine


# Sizes that change from scene to scene are left general, here and below: compiling for each would be waited for.
@triton.jit(do_not_specialize=["pixels", "height", "width", "factor", "cells_height", "cells_width"])
def _modulate(  # type: ignore[no-untyped-def]
    x_ptr,
    y_ptr,
    both_ptr,
    rows_ptr,
    bias_ptr,
    cells_ptr,
    pixels,
    height,
    width,
    channels,
    factor,
    cells_height,
    cells_width,
    slope,
    HAS_ROWS: tl.constexpr,
    HAS_CELLS: tl.constexpr,
    FEWER: tl.constexpr,
    PLACES: tl.constexpr,
    DOUBLED: tl.constexpr,
    ACTIVE: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    p = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    there = p < pixels
    mask = there[:, None] & (c < channels)[None, :]
    line = p // width
    column = p % width
    source = p
    if DOUBLED:
        source = (line // 2) * (width // 2) + column // 2
    x = tl.load(x_ptr + source.to(tl.int64)[:, None] * channels + c[None, :], mask=mask, other=0.0).to(tl.float32)
    row = p
    if HAS_ROWS:
        row = tl.load(rows_ptr + p, mask=there, other=0)
    both = both_ptr + row.to(tl.int64)[:, None] * (2 * channels) + c[None, :]
    scale = tl.load(both, mask=mask, other=0.0).to(tl.float32)
    shift = tl.load(both + channels, mask=mask, other=0.0).to(tl.float32)
    if HAS_CELLS:
        image = line // height
        down = _place(line % height, factor, PLACES, FEWER)
        right = _place(column, factor, PLACES, FEWER)
        cell = (image * cells_height + down) * cells_width + right
        more = cells_ptr + cell.to(tl.int64)[:, None] * (2 * channels) + c[None, :]
        scale += tl.load(more, mask=mask, other=0.0).to(tl.float32)
        shift += tl.load(more + channels, mask=mask, other=0.0).to(tl.float32)
    scale += tl.load(bias_ptr + c, mask=c < channels, other=0.0)[None, :]
    shift += tl.load(bias_ptr + channels + c, mask=c < channels, other=0.0)[None, :]
    y = x * scale + shift
    if ACTIVE:
        y = tl.where(y > 0, y, y * slope)
    tl.store(y_ptr + p.to(tl.int64)[:, None] * channels + c[None, :], y.to(y_ptr.dtype.element_ty), mask=mask)


def launch_modulate(
    x_PC: Tensor,
    y_PC: Tensor,
    table: Table,
    bias_C: Tensor,
    cells: Cells | None,
    size: tuple[int, int, int],
    doubled: bool,
    slope: float,
) -> None:
    pixels, channels = y_PC.shape
    block_p, block_c = _blocks(channels)
    rows = table.row_of_pixel_P
    more = None if cells is None else pixel_rows(cells.both_BCHW)
    held = (1, 1) if cells is None else cells.both_BCHW.shape[2:]
    factor = 1 if cells is None else cells.factor
    with launched_on(x_PC):
        _modulate[(triton.cdiv(pixels, block_p), triton.cdiv(channels, block_c))](
            x_PC,
            y_PC,
            table.both_NC.contiguous(),
            x_PC if rows is None else rows,
            bias_C,
            x_PC if more is None else more,
            pixels,
            size[1],
            size[2],
            channels,
            factor,
            held[0],
            held[1],
            slope,
            HAS_ROWS=rows is not None,
            HAS_CELLS=more is not None,
            FEWER=factor > PLACES,
            PLACES=PLACES,
            DOUBLED=doubled,
            ACTIVE=slope != 1,
            BLOCK_P=block_p,
            BLOCK_C=block_c,
            num_warps=4,
        )


def _blocks(channels: int) -> tuple[int, int]:
    """Pixels and channels of a program."""
    block_c = min(_MOST_CHANNELS, triton.next_power_of_2(channels))
    return _ELEMENTS // block_c, block_c


@triton.jit(
    do_not_specialize=["full_height", "full_width", "cell", "height", "width", "pixels", "outside", "first_group"]
)
def _keys(  # type: ignore[no-untyped-def]
    looks_ptr,
    keys_ptr,
    factors_ptr,
    full_height,
    full_width,
    cell,
    height,
    width,
    pixels,
    outside,
    first_group,
    KEY_BITS: tl.constexpr,
    SIDE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    p = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = p < pixels
    line = p // width
    column = p % width
    image = line // height
    row = line % height
    sums = tl.zeros([BLOCK], dtype=tl.int64)
    for down in tl.static_range(SIDE):
        for right in tl.static_range(SIDE):
            r = row + (down - SIDE // 2)
            c = column + (right - SIDE // 2)
            inside = there & (r >= 0) & (r < height) & (c >= 0) & (c < width)
            at = (image.to(tl.int64) * full_height + r * cell) * full_width + c * cell
            look = tl.load(looks_ptr + at, mask=inside, other=0)
            look = tl.where(inside, look, outside)
            sums += look.to(tl.int64) * tl.load(factors_ptr + (down * SIDE + right))
    kept = (sums >> (63 - KEY_BITS)) & ((1 << KEY_BITS) - 1)
    group = (image + first_group).to(tl.int64)
    tl.store(keys_ptr + p, kept | (group << KEY_BITS), mask=there)


def launch_keys(keys_P: Tensor, grid: Decimated, factors: Tensor, first_group: int, key_bits: int) -> None:
    looks = grid.looks_BHW.contiguous()
    _, height, width = grid.size
    block = 256
    with launched_on(keys_P):
        _keys[(triton.cdiv(len(keys_P), block),)](
            looks,
            keys_P,
            factors,
            looks.shape[1],
            looks.shape[2],
            grid.cell,
            height,
            width,
            len(keys_P),
            grid.outside,
            first_group,
            KEY_BITS=key_bits,
            SIDE=5,
            BLOCK=block,
            num_warps=4,
        )


@triton.jit(do_not_specialize=["count"])
def _ranks(  # type: ignore[no-untyped-def]
    pixels_ptr, used_ptr, rank_of_pixel_ptr, pixel_of_rank_ptr, count, BLOCK: tl.constexpr
):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    pixel = tl.load(pixels_ptr + at, mask=there, other=0)
    used = tl.load(used_ptr + at, mask=there, other=1)
    before = tl.load(used_ptr + at - 1, mask=there & (at > 0), other=0)
    rank = used - 1
    tl.store(rank_of_pixel_ptr + pixel, rank, mask=there)
    tl.store(pixel_of_rank_ptr + rank, pixel.to(tl.int32), mask=there & (used != before))


def launch_ranks(pixels_P: Tensor, used_P: Tensor, rank_of_pixel_P: Tensor, pixel_of_rank_P: Tensor) -> None:
    count, block = len(pixels_P), 1024
    with launched_on(pixels_P):
        _ranks[(triton.cdiv(count, block),)](
            pixels_P, used_P, rank_of_pixel_P, pixel_of_rank_P, count, BLOCK=block, num_warps=4
        )


@triton.jit(do_not_specialize=["count", "full_height", "full_width", "cell", "height", "width", "outside", "looks"])
def _hidden(  # type: ignore[no-untyped-def]
    out_ptr,
    looks_ptr,
    pixels_ptr,
    table_ptr,
    bias_ptr,
    everywhere_ptr,
    count,
    full_height,
    full_width,
    cell,
    height,
    width,
    outside,
    looks,
    hidden,
    HAS_EVERYWHERE: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    around = tl.program_id(1)
    d = tl.arange(0, BLOCK_D)
    there = n < count
    pixel = tl.load(pixels_ptr + n, mask=there, other=0).to(tl.int32)
    line = pixel // width
    image = line // height
    row = line % height + (around // 3 - 1)
    column = pixel % width + (around % 3 - 1)
    centre = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    sums = tl.zeros([BLOCK_N, BLOCK_D], dtype=tl.float32)
    mask_d = (d < hidden)[None, :]
    for tap in tl.static_range(9):
        r = row + (tap // 3 - 1)
        c = column + (tap % 3 - 1)
        inside = there & (r >= 0) & (r < height) & (c >= 0) & (c < width)
        at = (image.to(tl.int64) * full_height + r * cell) * full_width + c * cell
        look = tl.load(looks_ptr + at, mask=inside, other=0)
        look = tl.where(inside, look, outside)
        entry = table_ptr + (look + tap * looks)[:, None] * hidden + d[None, :]
        sums += tl.load(entry, mask=there[:, None] & mask_d, other=0.0).to(tl.float32)
        if HAS_EVERYWHERE:
            beside = tl.load(everywhere_ptr + tap * hidden + d, mask=d < hidden, other=0.0).to(tl.float32)
            sums += tl.where(inside[:, None], beside[None, :], 0.0)
    sums += tl.load(bias_ptr + d, mask=d < hidden, other=0.0)[None, :]
    sums = tl.where(centre[:, None] & (sums > 0), sums, 0.0)
    to = out_ptr + n.to(tl.int64)[:, None] * (9 * hidden) + around * hidden + d[None, :]
    tl.store(to, sums.to(out_ptr.dtype.element_ty), mask=there[:, None] & mask_d)


def launch_hidden(
    out: Tensor, grid: Decimated, pixels_N: Tensor, table_LD: Tensor, bias_D: Tensor, everywhere_TD: Tensor | None
) -> None:
    if not len(pixels_N):
        return
    looks = grid.looks_BHW.contiguous()
    _, height, width = grid.size
    hidden = table_LD.shape[1]
    block_d = triton.next_power_of_2(hidden)
    block_n = max(1, _ELEMENTS // block_d)
    with launched_on(out):
        _hidden[(triton.cdiv(len(pixels_N), block_n), 9)](
            out,
            looks,
            pixels_N.contiguous(),
            table_LD.contiguous(),
            bias_D,
            out if everywhere_TD is None else everywhere_TD.contiguous(),
            len(pixels_N),
            looks.shape[1],
            looks.shape[2],
            grid.cell,
            height,
            width,
            grid.outside,
            len(table_LD) // 9,
            hidden,
            HAS_EVERYWHERE=everywhere_TD is not None,
            BLOCK_N=block_n,
            BLOCK_D=block_d,
            num_warps=4,
        )
