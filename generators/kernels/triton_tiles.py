"""What several Triton kernels begin with."""

import triton
import triton.language as tl


@triton.jit
def tile_of(program, width, CHANNELS: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr):
    """The channels of a program, its columns, and its row in all images one under the other: see `tiles.Tiles`.

    What divides row numbers is done once a program, not once a pixel.
    """
    blocks: tl.constexpr = (CHANNELS + BLOCK - 1) // BLOCK
    channels = (program % blocks) * BLOCK + tl.arange(0, BLOCK)
    program = program // blocks
    across = (width + PIXELS - 1) // PIXELS
    columns = (program % across) * PIXELS + tl.arange(0, PIXELS)
    return channels, columns, program // across


@triton.jit
def coarser_pixel(line, columns, height, width):
    """The pixels of a map half as large, of all images, that lie under these."""
    coarse_line = (line // height).to(tl.int64) * (height // 2) + (line % height) // 2
    return coarse_line * (width // 2) + columns // 2


@triton.jit
def inside_border(pixel, height, width, BORDER: tl.constexpr):
    """Row and column of the map that a pixel of its bordered form shows, by reflection."""
    wide = width + 2 * BORDER
    row, column = pixel // wide - BORDER, pixel % wide - BORDER
    if BORDER > 0:
        row, column = tl.abs(row), tl.abs(column)
        row = tl.where(row >= height, 2 * height - 2 - row, row)
        column = tl.where(column >= width, 2 * width - 2 - column, column)
    return row, column
