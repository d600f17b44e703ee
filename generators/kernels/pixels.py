"""A channels-last map as what it is in memory: a row of channels a pixel."""

from torch import Tensor


def pixel_rows(x_BCHW: Tensor) -> Tensor:
    """P x C, each pixel's channels side by side: a view of a channels-last map, a copy of any other."""
    # A single image's channels can be told apart by strides alone: reshape would leave them where they are.
    return x_BCHW.permute(0, 2, 3, 1).contiguous().view(-1, x_BCHW.shape[1])


def as_map(rows_PC: Tensor, batch: int, height: int, width: int) -> Tensor:
    """B x C x H x W, channels last, over the same memory."""
    return rows_PC.view(batch, height, width, rows_PC.shape[1]).permute(0, 3, 1, 2)
