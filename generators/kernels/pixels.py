"""A channels-last map as what it is in memory: a row of channels a pixel."""

from torch import Tensor


def pixel_rows(x_BCHW: Tensor) -> Tensor:
    """P x C: a view of a channels-last map, a copy of any other."""
    return x_BCHW.permute(0, 2, 3, 1).reshape(-1, x_BCHW.shape[1])


def as_map(rows_PC: Tensor, batch: int, height: int, width: int) -> Tensor:
    """B x C x H x W, channels last, over the same memory."""
    return rows_PC.view(batch, height, width, rows_PC.shape[1]).permute(0, 3, 1, 2)
