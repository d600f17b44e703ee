"""Pixels whose neighbourhoods of labels are equal are modulated equally: the neighbourhoods there are, each once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class LabelGrid(NamedTuple):
    """The label map of one resolution and its distinct neighbourhoods.

    Two stacked 3 x 3 convolutions see 5 x 5 labels. `near` are the distinct 3 x 3 neighbourhoods, `far` the distinct
    3 x 3 arrangements of those. Inside a class all pixels share one; along straight borders most do.
    """

    labels_BHW: Tensor
    edges_BHW: Tensor  # zeros where there is no edge map
    near_labels_M9: Tensor  # the number of classes where a tap lies outside the image
    near_edges_M9: Tensor
    far_near_N9: Tensor  # 1 + index into `near`; 0 where a tap lies outside the image
    far_of_pixel_P: Tensor  # int32 index into `far`, for every pixel of the batch

    @property
    def distinct_share(self) -> float:
        return len(self.far_near_N9) / len(self.far_of_pixel_P)


def sort_pixels(labels_BHW: Tensor, edges_BHW: Tensor, num_classes: int) -> LabelGrid:
    """The grid of a label map."""
    labels_BHW, edges_BHW = labels_BHW.long(), edges_BHW.float()
    looks_BHW = labels_BHW * 2 + (edges_BHW > 0)
    outside = num_classes * 2
    near_of_pixel_BHW, near_at = _distinct(looks_BHW, outside)
    near_looks_M9 = _taps(looks_BHW, near_at, outside)
    far_of_pixel_BHW, far_at = _distinct(near_of_pixel_BHW + 1, outside=0)
    return LabelGrid(
        labels_BHW,
        edges_BHW,
        near_looks_M9 // 2,
        (near_looks_M9 % 2).float(),
        _taps(near_of_pixel_BHW + 1, far_at, outside=0),
        far_of_pixel_BHW.flatten().int(),
    )


def _distinct(values_BHW: Tensor, outside: int) -> tuple[Tensor, Tensor]:
    """Which of the distinct 3 x 3 neighbourhoods every pixel has, and a flat pixel that has each."""
    padded = F.pad(values_BHW, (1, 1, 1, 1), value=outside)
    # Ranked after three taps of a row: the code of all nine would overflow 64 bits.
    rows = _rank(padded[..., :-2], padded[..., 1:-1], padded[..., 2:])
    of_pixel = _rank(rows[:, :-2], rows[:, 1:-1], rows[:, 2:])
    pixels = torch.arange(of_pixel.numel(), device=of_pixel.device)
    at = pixels.new_zeros(int(of_pixel.max()) + 1).scatter_(0, of_pixel.flatten(), pixels)
    return of_pixel, at


def _rank(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """A number for every distinct triple, from 0 without gaps."""
    base = int(max(first.max(), second.max(), third.max())) + 1
    ranks: Tensor = torch.unique((first * base + second) * base + third, return_inverse=True)[1]
    return ranks


def _taps(values_BHW: Tensor, pixels_N: Tensor, outside: int) -> Tensor:
    """The 3 x 3 neighbourhoods of some flat pixels, row by row: N x 9."""
    height, width = values_BHW.shape[1:]
    padded = F.pad(values_BHW, (1, 1, 1, 1), value=outside)
    image, row, column = pixels_N // (height * width), pixels_N // width % height, pixels_N % width
    step = torch.arange(9, device=values_BHW.device)
    return padded[image[:, None], row[:, None] + step // 3, column[:, None] + step % 3]
