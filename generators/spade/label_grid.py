"""Where modulation depends on a class alone, and where on a whole neighbourhood of labels."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Two stacked 3 x 3 convolutions see 5 x 5 labels.
_REACH = 2


class LabelGrid(NamedTuple):
    """The label map of one resolution, with its pixels sorted into interior and band.

    Interior pixels lie two pixels or more inside one class, away from edges and from the border of the image. Row 0 of
    whatever is computed for `near` pixels stands for what lies outside the image: zeros.
    """

    labels_BHW: Tensor  # int32
    edges_BHW: Tensor  # float
    band_N: Tensor  # flat pixels that are not interior
    near_taps_M9: Tensor  # labels around every pixel that touches the band, num_classes outside the image
    near_edges_M9: Tensor
    band_rows_N9: Tensor  # rows of `near` around every band pixel

    @property
    def band_share(self) -> float:
        return len(self.band_N) / self.labels_BHW.numel()


def sort_pixels(labels_BHW: Tensor, edges_BHW: Tensor, num_classes: int) -> LabelGrid:
    """The grid of a label map; `edges_BHW` are zeros where there is no edge map."""
    band_BHW = ~_interior(labels_BHW, edges_BHW)
    near_BHW = F.max_pool2d(band_BHW.float().unsqueeze(1), 3, stride=1, padding=1)[:, 0] > 0
    rows_BHW = torch.cumsum(near_BHW.flatten(), 0).view_as(near_BHW) * near_BHW
    return LabelGrid(
        labels_BHW.int(),
        edges_BHW,
        band_BHW.flatten().nonzero()[:, 0],
        _around(labels_BHW, near_BHW, outside=num_classes),
        _around(edges_BHW, near_BHW, outside=0),
        _around(rows_BHW, band_BHW, outside=0),
    )


def _interior(labels_BHW: Tensor, edges_BHW: Tensor) -> Tensor:
    width = 2 * _REACH + 1
    # No class is -1, so that pixels near the border of the image are never interior.
    labels = F.pad(labels_BHW.float().unsqueeze(1), [_REACH] * 4, value=-1)
    edges = F.pad(edges_BHW.unsqueeze(1), [_REACH] * 4)
    flat = F.max_pool2d(labels, width, 1) == -F.max_pool2d(-labels, width, 1)
    return (flat & (F.max_pool2d(edges, width, 1) == 0))[:, 0]


def _around(values_BHW: Tensor, where_BHW: Tensor, outside: int) -> Tensor:
    """The 3 x 3 neighbourhood of the chosen pixels, row by row: pixels x 9."""
    padded = F.pad(values_BHW, (1, 1, 1, 1), value=outside)
    return padded.unfold(1, 3, 1).unfold(2, 3, 1)[where_BHW].flatten(1)
