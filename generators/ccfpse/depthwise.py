"""Per-pixel depthwise convolution: every pixel of every channel has its own 3 x 3 kernel."""

import torch.nn.functional as F
from torch import Tensor

TAPS = 9


def per_pixel_depthwise(x_BCHW: Tensor, kernels_BNHW: Tensor) -> Tensor:
    """y[c, i, j] = sum over t of kernels[9c + t, i, j] * x[c, i + t // 3 - 1, j + t % 3 - 1], zero outside.

    Nine shifted multiply-adds: unfolding would copy the input nine times (9 GB a layer at 2048x1024).
    """
    batch, channels, rows, columns = x_BCHW.shape
    if kernels_BNHW.shape != (batch, TAPS * channels, rows, columns):
        raise ValueError(
            f"per-pixel kernels have shape {tuple(kernels_BNHW.shape)}; "
            f"expected {(batch, TAPS * channels, rows, columns)}, nine per channel and pixel"
        )
    kernels = kernels_BNHW.view(batch, channels, TAPS, rows, columns)
    padded = F.pad(x_BCHW, (1, 1, 1, 1))
    total = kernels[:, :, 0] * padded[..., :rows, :columns]
    for tap in range(1, TAPS):
        row, column = divmod(tap, 3)
        total = total + kernels[:, :, tap] * padded[..., row : row + rows, column : column + columns]
    return total
