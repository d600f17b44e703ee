"""Labels as the rewrites of CC-FPSE take them: one number a pixel in place of a one-hot channel a class."""

from typing import NamedTuple

import torch
from torch import Tensor

from generators.conditioning import check_channels, edge_map, one_hot


class Codes(NamedTuple):
    """A code is a class, plus the number of classes where an instance's edge runs."""

    num_classes: int
    edges: bool

    def of(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """B x 1 x H x W; ValueError where a label is no channel."""
        check_channels(labels_BHW, self.num_classes)
        codes_B1HW = labels_BHW.unsqueeze(1).int()
        return codes_B1HW + self.num_classes * edge_map(instances_BHW).int() if self.edges else codes_B1HW

    def channels(self, codes_B1HW: Tensor) -> Tensor:
        """One-hot classes, and the edges beside them."""
        onehot = one_hot((codes_B1HW % self.num_classes)[:, 0], self.num_classes)
        return torch.cat([onehot, (codes_B1HW >= self.num_classes).float()], dim=1) if self.edges else onehot
