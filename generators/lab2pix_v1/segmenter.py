"""V1's segmenter: reads labels back from generated images, and so holds the generator to its label map.

Trained from scratch together with the generator, only ever on generated images. A light network of two branches.
"""

import torch.nn.functional as F
from torch import Tensor, nn

INPUT_SIDE_PX = 256
_POOLED_CELLS = (8, 4, 3, 2)


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, dilation=dilation)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


def _unit(in_channels: int, out_channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(*_conv(in_channels, out_channels, kernel, stride, dilation), nn.ReLU())


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 around a shortcut, projected where the width changes; `skip` False leaves it out."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1, skip: bool = True
    ) -> None:
        super().__init__()
        middle = out_channels // 4
        self.main = nn.Sequential(
            _unit(in_channels, middle, 1, stride),
            _unit(middle, middle, 3, dilation=dilation),
            _conv(middle, out_channels, 1),
        )
        self.project = _conv(in_channels, out_channels, 1, stride) if in_channels != out_channels else nn.Identity()
        self.skip = skip

    def forward(self, x_BCHW: Tensor) -> Tensor:
        main: Tensor = self.main(x_BCHW)
        return F.relu(main + self.project(x_BCHW) if self.skip else main)


class Segmenter(nn.Module):
    """Image to `out_channels` logits of `side_px` x `side_px`; `width` 32 is the published one."""

    def __init__(self, out_channels: int, width: int = 32, side_px: int = INPUT_SIDE_PX) -> None:
        super().__init__()
        self.side_px = side_px
        w = width
        self.low_stem = nn.Sequential(_unit(3, w, 3, 2), _unit(w, w, 3), _unit(w, 2 * w, 3))
        self.tapped = nn.Sequential(
            Bottleneck(2 * w, 4 * w), Bottleneck(4 * w, 4 * w), Bottleneck(4 * w, 4 * w), Bottleneck(4 * w, 8 * w, 2)
        )
        self.deep = nn.Sequential(
            *(Bottleneck(8 * w, 8 * w) for _ in range(3)),
            *(Bottleneck(16 * w if index else 8 * w, 16 * w, dilation=2, skip=index != 3) for index in range(6)),
            *(Bottleneck(32 * w if index else 16 * w, 32 * w, dilation=4) for index in range(3)),
        )
        self.squeeze = _unit(32 * w, 8 * w, 1)
        self.merge = _conv(8 * w, 4 * w, 3, dilation=2)
        self.tap = _conv(8 * w, 4 * w, 1)
        self.refine = _conv(4 * w, 4 * w, 3, dilation=2)
        self.high = nn.Sequential(_unit(3, w, 3, 2), _unit(w, w, 3, 2), _unit(w, 2 * w, 3, 2), _conv(2 * w, 4 * w, 1))
        self.classify = nn.Conv2d(4 * w, out_channels, 5, padding=2)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        image = F.interpolate(image_BCHW, size=(self.side_px, self.side_px), mode="nearest")
        low = F.max_pool2d(self.low_stem(F.avg_pool2d(image, 2)), 3, stride=2, padding=1)
        tapped = self.tapped(low)
        deep = self.squeeze(_context(self.deep(F.avg_pool2d(tapped, 2))))
        merged = F.relu(self.merge(_up(deep, 2)) + self.tap(tapped))
        fused = F.relu(self.refine(_up(merged, 2)) + self.high(image))
        return _up(self.classify(_up(fused, 4)), 2)


def _context(x_BCHW: Tensor) -> Tensor:
    """Averages over cells of several sizes, none larger than the grid, each brought back to the grid, summed."""
    size = x_BCHW.shape[-2:]
    pooled = [F.avg_pool2d(x_BCHW, min(cell, *size)) for cell in _POOLED_CELLS]
    total = F.interpolate(pooled[0], size=size, mode="nearest")
    for coarse in pooled[1:]:
        total = total + F.interpolate(coarse, size=size, mode="nearest")
    return total


def _up(x_BCHW: Tensor, factor: int) -> Tensor:
    return F.interpolate(x_BCHW, scale_factor=float(factor), mode="nearest")
