"""Lab2Pix-V2 for rendering: the global encoder's up-sampled convolutions computed on the coarse grid they came from."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.lab2pix_v2.global_encoder import GlobalEncoder
from generators.spectral_norm import bake

# Where in its coarse cell a fine row (or column) lies decides which coarse cells a 3 x 3 kernel's taps fall into:
# the first sees the cell before it, the last the one after, those between their own alone.
_FIRST = ((1, 0, 0), (0, 1, 1), (0, 0, 0))
_INNER = ((0, 0, 0), (1, 1, 1), (0, 0, 0))
_LAST = ((0, 0, 0), (1, 1, 0), (0, 0, 1))


class CoarseGlobalEncoder(nn.Module):
    """A nearest enlargement followed by a 3 x 3 convolution has only nine different outputs a coarse cell."""

    def __init__(self, plain: GlobalEncoder) -> None:
        super().__init__()
        plain = bake(copy.deepcopy(plain).eval())
        self.down = plain.down
        self.spread = nn.ModuleList(
            EnlargedConv(spread, 2**index) for index, spread in enumerate(plain.spread) if isinstance(spread, nn.Conv2d)
        )

    def forward(self, condition_BSHW: Tensor) -> list[Tensor]:
        x_BCHW = condition_BSHW
        for down in self.down:
            x_BCHW = F.leaky_relu(down(x_BCHW), 0.2)
        return [F.relu_(spread(x_BCHW)) for spread in self.spread]


class EnlargedConv(nn.Module):
    """`conv` of its input enlarged `factor` times."""

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d, factor: int) -> None:
        super().__init__()
        self.factor = factor
        assert conv.bias is not None
        folds = torch.tensor([_FIRST, _INNER, _LAST], dtype=conv.weight.dtype)
        if factor == 1:
            folds = torch.eye(3, dtype=conv.weight.dtype).expand(1, 3, 3)
        weight = torch.einsum("pai,ocij,qbj->pqocab", folds, conv.weight.detach(), folds)
        self.register_buffer("weight", weight.flatten(0, 2))
        self.register_buffer("bias", conv.bias.detach().repeat(len(folds) ** 2))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        distinct = F.conv2d(x_BCHW, self.weight, self.bias, padding=1)
        if self.factor == 1:
            return distinct
        kinds_BPQCHW = distinct.view(len(x_BCHW), 3, 3, -1, *x_BCHW.shape[2:])
        row_kind, row = self._places(x_BCHW.shape[2], x_BCHW.device)
        column_kind, column = self._places(x_BCHW.shape[3], x_BCHW.device)
        by_row = kinds_BPQCHW.permute(1, 4, 0, 2, 3, 5)[row_kind, row]  # rows, B, column kinds, C, columns
        enlarged = by_row.permute(2, 4, 1, 0, 3)[column_kind, column]  # columns, B, rows, C
        return enlarged.permute(1, 3, 2, 0)

    def _places(self, cells: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """For every fine row or column: which kind it is, and in which coarse cell it lies."""
        fine = torch.arange(cells * self.factor, device=device)
        within = fine % self.factor
        kind = 1 - (within == 0).long() + (within == self.factor - 1).long()
        return kind, fine // self.factor
