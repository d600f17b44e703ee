"""What the coarsest grid starts from: the tiny label map, or a style code."""

import torch.nn.functional as F
from torch import Tensor, nn


class LabelStart(nn.Module):
    """The conditioning, decimated to the start grid, through one convolution."""

    def __init__(self, condition_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(condition_channels, channels, 3, padding=1)

    def forward(self, condition_BSHW: Tensor, style_BD: Tensor | None) -> Tensor:
        rows, columns = (side // self.stride for side in condition_BSHW.shape[-2:])
        start: Tensor = self.conv(F.interpolate(condition_BSHW, size=(rows, columns), mode="nearest"))
        return start


class CodeStart(nn.Module):
    """A linear layer from the style code to a start grid of fixed size, which makes its size part of the weights.

    Images of another size than the one trained on stretch that grid bilinearly.
    """

    def __init__(self, style_dim: int, channels: int, grid: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.grid = grid
        self.channels = channels
        self.stride = stride
        self.linear = nn.Linear(style_dim, channels * grid[0] * grid[1])

    def forward(self, condition_BSHW: Tensor, style_BD: Tensor | None) -> Tensor:
        if style_BD is None:
            raise ValueError("a start from a style code needs the code")
        start = self.linear(style_BD).unflatten(1, (self.channels, *self.grid))
        wanted = (condition_BSHW.shape[-2] // self.stride, condition_BSHW.shape[-1] // self.stride)
        if wanted == self.grid:
            return start
        return F.interpolate(start, size=wanted, mode="bilinear", align_corners=False)
