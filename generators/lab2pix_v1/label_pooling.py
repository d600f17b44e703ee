"""V1's label pyramids: the highest id of a cell wins, which keeps people and vehicles; sketches are averaged."""

import torch.nn.functional as F
from torch import Tensor

from generators.conditioning import one_hot


def pool_labels(labels_B1HW: Tensor, cell: int) -> Tensor:
    """Ids as floats, the maximum of every cell."""
    return labels_B1HW if cell == 1 else F.max_pool2d(labels_B1HW, cell)


def label_pyramid(labels_B1HW: Tensor, num_channels: int, levels: int) -> list[Tensor]:
    """One-hot maps at strides 1, 2, 4 ..."""
    return [one_hot(pool_labels(labels_B1HW, 2**level)[:, 0].long(), num_channels) for level in range(levels)]


def sketch_pyramid(sketch_B1HW: Tensor, levels: int) -> list[Tensor]:
    return [F.avg_pool2d(sketch_B1HW, 2**level) if level else sketch_B1HW for level in range(levels)]
