"""The Triton kernels of layout-conditional networks. Imported only where they can run.

All maps are channels last. Offsets are 64 bits wide: nine kernels a channel at 2048x1024 are more than 2^31
numbers. Sums are float32 whatever the maps are.
"""

import triton
import triton.language as tl

from generators.kernels.triton_tiles import coarser_pixel, tile_of


@triton.jit(do_not_specialize=["rows", "height", "width", "top"])
def per_pixel_kernel(
    x,
    kernels,
    bias,
    scale,
    shift,
    y,
    rows,
    height,
    width,
    top,
    CHANNELS: tl.constexpr,
    DOUBLES: tl.constexpr,
    PIXELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """y = sum over taps of (kernels + bias) * (x * scale + shift): rows `top` to `top + rows` of every image."""
    channels, columns, line = tile_of(tl.program_id(0), width, CHANNELS, PIXELS, BLOCK)
    image = (line // rows).to(tl.int64)
    row = top + line % rows
    there = columns < width
    known = channels < CHANNELS
    mask = there[:, None] & known[None, :]
    scales = tl.load(scale + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    shifts = tl.load(shift + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    pixel = line.to(tl.int64) * width + columns
    own = kernels + pixel[:, None] * (9 * CHANNELS) + channels[None, :]
    total = tl.zeros((PIXELS, BLOCK), tl.float32)
    for tap in tl.static_range(9):
        x_row = row + (tap // 3 - 1)
        x_columns = columns + (tap % 3 - 1)
        inside = there & (x_columns >= 0) & (x_columns < width) & (x_row >= 0) & (x_row < height)
        if DOUBLES:
            x_line = image * (height // 2) + x_row // 2
            x_pixel = x_line * (width // 2) + x_columns // 2
        else:
            x_pixel = (image * height + x_row) * width + x_columns
        seen = inside[:, None] & known[None, :]
        value = tl.load(x + x_pixel[:, None] * CHANNELS + channels[None, :], mask=seen, other=0.0).to(tl.float32)
        # Normalised before it is padded: outside the image lie zeros, not shifted zeros.
        value = tl.where(seen, value * scales + shifts, 0.0)
        weight = tl.load(own + tap * CHANNELS, mask=mask, other=0.0, eviction_policy="evict_first").to(tl.float32)
        weight += tl.load(bias + tap * CHANNELS + channels, mask=known, other=0.0).to(tl.float32)[None, :]
        total += weight * value
    to = (image * height + row) * width + columns
    tl.store(y + to[:, None] * CHANNELS + channels[None, :], total.to(y.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["height", "width", "pixels"])
def label_taps_kernel(
    level,
    codes,
    table,
    bias,
    y,
    height,
    width,
    pixels,
    CODES: tl.constexpr,
    PARTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    SLOPE: tl.constexpr,
    LEVEL: tl.constexpr,
    PIXELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """y[part] = leaky ReLU(level + bias + sum over taps of the table's row of the tap's code); CHANNELS of a part."""
    all_channels: tl.constexpr = PARTS * CHANNELS
    part = tl.program_id(0) % PARTS
    channels, columns, line = tile_of(tl.program_id(0) // PARTS, width, CHANNELS, PIXELS, BLOCK)
    row = line % height
    there = columns < width
    known = channels < CHANNELS
    mask = there[:, None] & known[None, :]
    from_channels = part * CHANNELS + channels
    pixel = line.to(tl.int64) * width + columns
    total = tl.zeros((PIXELS, BLOCK), tl.float32)
    total += tl.load(bias + from_channels, mask=known, other=0.0).to(tl.float32)[None, :]
    if LEVEL:
        total += tl.load(level + pixel[:, None] * all_channels + from_channels[None, :], mask=mask, other=0.0).to(
            tl.float32
        )
    for tap in tl.static_range(9):
        tap_row = row + (tap // 3 - 1)
        tap_columns = columns + (tap % 3 - 1)
        inside = there & (tap_columns >= 0) & (tap_columns < width) & (tap_row >= 0) & (tap_row < height)
        beside = pixel + (tap // 3 - 1) * width + (tap % 3 - 1)
        code = tl.load(codes + beside, mask=inside, other=0)
        entry = (tap * CODES + code) * all_channels
        seen = inside[:, None] & known[None, :]
        total += tl.load(table + entry[:, None] + from_channels[None, :], mask=seen, other=0.0).to(tl.float32)
    total = tl.where(total > 0, total, total * SLOPE)
    to = (part.to(tl.int64) * pixels + pixel)[:, None] * CHANNELS + channels[None, :]
    tl.store(y + to, total.to(y.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["height", "width"])
def gated_kernel(
    mixed,
    mix_bias,
    gates,
    gate_bias,
    side,
    height,
    width,
    CHANNELS: tl.constexpr,
    SIDE: tl.constexpr,
    DOUBLES: tl.constexpr,
    PIXELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """mixed = leaky ReLU((mixed + bias) * sigmoid(gates + bias), 0.2) (+ side, half as large where it is doubled)."""
    channels, columns, line = tile_of(tl.program_id(0), width, CHANNELS, PIXELS, BLOCK)
    known = channels < CHANNELS
    mask = (columns < width)[:, None] & known[None, :]
    pixel = line.to(tl.int64) * width + columns
    at = pixel[:, None] * CHANNELS + channels[None, :]
    value = tl.load(mixed + at, mask=mask, other=0.0).to(tl.float32)
    value += tl.load(mix_bias + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    gate = tl.load(gates + at, mask=mask, other=0.0).to(tl.float32)
    gate += tl.load(gate_bias + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    value = value * tl.sigmoid(gate)
    value = tl.where(value > 0, value, value * 0.2)
    if SIDE:
        if DOUBLES:
            coarse = coarser_pixel(line, columns, height, width)
            at_side = coarse[:, None] * CHANNELS + channels[None, :]
        else:
            at_side = at
        value += tl.load(side + at_side, mask=mask, other=0.0).to(tl.float32)
    tl.store(mixed + at, value.to(mixed.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["height", "width"])
def activate_kernel(
    x,
    bias,
    coarse,
    height,
    width,
    CHANNELS: tl.constexpr,
    SLOPE: tl.constexpr,
    COARSE: tl.constexpr,
    PIXELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """x = leaky ReLU(x + bias) (+ a map half as large, doubled)."""
    channels, columns, line = tile_of(tl.program_id(0), width, CHANNELS, PIXELS, BLOCK)
    known = channels < CHANNELS
    mask = (columns < width)[:, None] & known[None, :]
    pixel = line.to(tl.int64) * width + columns
    at = pixel[:, None] * CHANNELS + channels[None, :]
    value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
    value += tl.load(bias + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    value = tl.where(value > 0, value, value * SLOPE)
    if COARSE:
        above = coarser_pixel(line, columns, height, width)
        value += tl.load(coarse + above[:, None] * CHANNELS + channels[None, :], mask=mask, other=0.0).to(tl.float32)
    tl.store(x + at, value.to(x.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["rows", "height", "width", "top"])
def scaled_kernel(
    x,
    both,
    bias,
    y,
    rows,
    height,
    width,
    top,
    CHANNELS: tl.constexpr,
    DOUBLES: tl.constexpr,
    PIXELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """y = x * scale + shift, which lie beside each other in `both`: rows `top` to `top + rows` of every image."""
    channels, columns, line = tile_of(tl.program_id(0), width, CHANNELS, PIXELS, BLOCK)
    image = (line // rows).to(tl.int64)
    row = top + line % rows
    known = channels < CHANNELS
    mask = (columns < width)[:, None] & known[None, :]
    pixel = line.to(tl.int64) * width + columns
    own = both + pixel[:, None] * (2 * CHANNELS) + channels[None, :]
    scale = tl.load(own, mask=mask, other=0.0, eviction_policy="evict_first").to(tl.float32)
    scale += tl.load(bias + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    shift = tl.load(own + CHANNELS, mask=mask, other=0.0, eviction_policy="evict_first").to(tl.float32)
    shift += tl.load(bias + CHANNELS + channels, mask=known, other=0.0).to(tl.float32)[None, :]
    if DOUBLES:
        x_pixel = (image * (height // 2) + row // 2) * (width // 2) + columns // 2
    else:
        x_pixel = (image * height + row) * width + columns
    value = tl.load(x + x_pixel[:, None] * CHANNELS + channels[None, :], mask=mask, other=0.0).to(tl.float32)
    to = (image * height + row) * width + columns
    tl.store(y + to[:, None] * CHANNELS + channels[None, :], (value * scale + shift).to(y.dtype.element_ty), mask=mask)
