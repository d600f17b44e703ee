"""How kernels that go pixel by pixel share a map among programs: some pixels of one row by some channels each."""

from typing import NamedTuple

import torch
from torch import Tensor

_MOST_PIXELS = 64


class Tiles(NamedTuple):
    """Pixels by channels of a program, both powers of two as Triton wants them, and the warps that share them."""

    pixels: int
    channels: int
    warps: int

    def programs(self, rows: int, width: int, channels: int) -> int:
        """How many cover so many rows, of all images together."""
        return rows * -(-width // self.pixels) * -(-channels // self.channels)


def tiles(channels: int) -> Tiles:
    """For kernels that read a map or two: each of 256 threads takes 16 numbers, two 16-byte accesses of bfloat16."""
    return _tiles(channels, 128, 4096, 8)


def tap_tiles(channels: int) -> Tiles:
    """For kernels that read nine values a number: 8 numbers a thread leave registers for all nine to be on their way.

    Fewer channels than threads: more would send what is the same for all pixels through shared memory.
    """
    return _tiles(channels, 64, 1024, 4)


def _tiles(channels: int, most_channels: int, elements: int, warps: int) -> Tiles:
    block = min(1 << (channels - 1).bit_length(), most_channels)
    return Tiles(min(elements // block, _MOST_PIXELS), block, warps)


def launched_on(x: Tensor) -> torch.cuda.device_of:
    """Kernels start on the current device, which need not be that of their tensors."""
    return torch.cuda.device_of(x)  # type: ignore[no-untyped-call]  # torch leaves it untyped


def packed(x_BCHW: Tensor) -> Tensor:
    """Channels last without gaps, which is what kernels count on: the tensor itself where it is so already."""
    return x_BCHW.contiguous(memory_format=torch.channels_last)


def empty_map(like: Tensor, batch: int, channels: int, rows: int, columns: int) -> Tensor:
    """B x C x H x W, channels last, of the type and on the device of `like`."""
    return like.new_empty(batch, rows, columns, channels).permute(0, 3, 1, 2)
