"""A layer's per-pixel kernels cut so that no piece of them outgrows its share of memory: by images, then by rows."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

# Two are in memory at a time, so 2 GiB at most. Thousands of rows of pixels in each: a matrix unit is as busy as with
# all of them.
_PIECE_BYTES = 2**30
_LEAST_ROWS = 8


class Piece(NamedTuple):
    """Some images, whole or (then one alone) some rows of it."""

    first: int
    last: int
    top: int
    bottom: int
    height: int  # of the whole map

    def of(self, x_BCHW: Tensor) -> Tensor:
        """Its images, all their rows."""
        return x_BCHW[self.first : self.last]

    def convolved(self, conv: nn.Conv2d, x_BCHW: Tensor) -> Tensor:
        """Its share of a 3 x 3 convolution of the whole map."""
        above, below = max(self.top - 1, 0), min(self.bottom + 1, self.height)
        wide: Tensor = conv(x_BCHW[self.first : self.last, :, above:below])
        return wide[:, :, self.top - above : self.bottom - above]


def evenly(batch: int, most: int) -> int:
    """How many images go together so that all groups are equal: kernels may sum in another order for another number
    of images, and an image's bits must not depend on its place.
    """
    return next(size for size in range(max(1, min(batch, most)), 0, -1) if batch % size == 0)


def pieces(x_BCHW: Tensor, channels: int) -> Iterator[Piece]:
    """Those of a map of so many channels, as large and of the same type as x."""
    batch, _, height, width = x_BCHW.shape
    row_bytes = width * channels * x_BCHW.element_size()
    together = evenly(batch, _PIECE_BYTES // (row_bytes * height))
    most_rows = max(_LEAST_ROWS, _PIECE_BYTES // row_bytes)
    bands = -(-height // most_rows)
    rows = -(-height // bands)  # bands of nearly equal size
    for first in range(0, batch, together):
        for top in range(0, height, rows):
            yield Piece(first, min(first + together, batch), top, min(top + rows, height), height)
