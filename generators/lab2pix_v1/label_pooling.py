"""Label pyramids that keep small things: the highest id of a cell wins (people and vehicles, not the road)."""

import torch.nn.functional as F
from torch import Tensor

from generators.conditioning import one_hot


def pool_labels(labels_B1HW: Tensor, cell: int) -> Tensor:
    """Ids as floats, the maximum of every cell."""
    return labels_B1HW if cell == 1 else F.max_pool2d(labels_B1HW, cell)


def pooled_one_hot(labels_B1HW: Tensor, cell: int, num_channels: int) -> Tensor:
    return one_hot(pool_labels(labels_B1HW, cell)[:, 0].long(), num_channels)
