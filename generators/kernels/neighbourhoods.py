"""Neighbourhoods of a map of small integers: a key for each, their order, and what a convolution makes of some."""

from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.kernels.support import usable

# Two stacked 3 x 3 convolutions see 5 x 5.
SIDE = 5


def _scrambled(number: int) -> int:
    """Bits of a number without structure: steps of the golden ratio, mixed as SplitMix64 does."""
    bits = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % 2**64
    return bits ^ bits >> 31


# One odd number of 62 bits a position. The upper bits of the sum of looks times these, modulo 2**64, are a key; as the
# numbers have no small relations, two neighbourhoods share one about as seldom as two draws of so many bits.
_FACTORS = tuple(_scrambled(position) >> 2 | 1 for position in range(SIDE**2))


class Decimated(NamedTuple):
    """Every `cell`-th pixel of a map, from the first on."""

    looks_BHW: Tensor  # int32, of all pixels
    cell: int
    outside: int  # what a tap beyond the border sees

    @property
    def size(self) -> tuple[int, int, int]:
        batch, height, width = self.looks_BHW.shape
        return batch, -(-height // self.cell), -(-width // self.cell)

    def laid_out(self) -> Tensor:
        return self.looks_BHW[:, :: self.cell, :: self.cell]


@cache
def _factors(device: torch.device) -> Tensor:
    return torch.tensor(_FACTORS, dtype=torch.int64, device=device)


def write_keys(keys_P: Tensor, grid: Decimated, first_group: int, key_bits: int) -> None:
    """The key of the 5 x 5 neighbourhood of every pixel, below the number of its group: one an image."""
    batch, height, width = grid.size
    if usable(keys_P):
        from generators.kernels.triton_spade import launch_keys

        launch_keys(keys_P, grid, _factors(keys_P.device), first_group, key_bits)
        return
    border = SIDE // 2
    padded = F.pad(grid.laid_out().long(), (border,) * 4, value=grid.outside)
    sums = torch.zeros(batch, height, width, dtype=torch.int64, device=keys_P.device)
    for position, factor in enumerate(_FACTORS):
        down, right = divmod(position, SIDE)
        sums += padded[:, down : down + height, right : right + width] * factor
    groups = torch.arange(first_group, first_group + batch, device=keys_P.device).view(-1, 1, 1) << key_bits
    keys_P.copy_(((sums >> (63 - key_bits)) & (2**key_bits - 1) | groups).flatten())


def rank(keys_P: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For every key its rank among the distinct ones; for every rank a pixel that has it; ranks used up to each place
    of the sorted keys. The second is longer than there are ranks; what lies beyond them means nothing.
    """
    ordered_P, pixels_P = torch.sort(keys_P)
    begins_P = torch.ones_like(ordered_P, dtype=torch.bool)
    begins_P[1:] = ordered_P[1:] != ordered_P[:-1]
    used_P = begins_P.cumsum(0, dtype=torch.int32)
    rank_of_pixel_P, pixel_of_rank_P = torch.empty_like(used_P), torch.empty_like(used_P)
    if usable(keys_P):
        from generators.kernels.triton_spade import launch_ranks

        launch_ranks(pixels_P, used_P, rank_of_pixel_P, pixel_of_rank_P)
    else:
        rank_of_pixel_P[pixels_P] = used_P - 1
        first_P = begins_P.nonzero().flatten()
        pixel_of_rank_P[: len(first_P)] = pixels_P[first_P].int()
    return rank_of_pixel_P, pixel_of_rank_P, used_P


def hidden_around(
    grid: Decimated, pixels_N: Tensor, table_LD: Tensor, bias_D: Tensor, everywhere_TD: Tensor | None = None
) -> Tensor:
    """relu(convolution) of the nine pixels around each of some, one after the other: N x 9D. Zeros beyond the border.

    `table_LD` holds for each tap what each look adds; `everywhere_TD` what a tap inside the image adds beside.
    """
    hidden = table_LD.shape[1]
    if usable(table_LD):
        from generators.kernels.triton_spade import launch_hidden

        out = table_LD.new_empty(len(pixels_N), 9 * hidden)
        launch_hidden(out, grid, pixels_N, table_LD, bias_D, everywhere_TD)
        return out
    windows_NRR = _windows(grid, pixels_N)
    looks_N9T = windows_NRR.unfold(1, 3, 1).unfold(2, 3, 1).reshape(-1, 9, 9)
    taps = torch.arange(9, device=looks_N9T.device)
    rows = looks_N9T + taps * (len(table_LD) // 9)
    sums_N9D = F.embedding(rows, table_LD).sum(2, dtype=torch.float32) + bias_D
    inside_N9T = (looks_N9T != grid.outside).float()
    if everywhere_TD is not None:
        sums_N9D += inside_N9T @ everywhere_TD.float()
    centre = inside_N9T[:, :, 4].unsqueeze(2)
    return (sums_N9D.relu_() * centre).flatten(1).to(table_LD.dtype)


def _windows(grid: Decimated, pixels_N: Tensor) -> Tensor:
    """N x 5 x 5 looks around some flat pixels."""
    _, height, width = grid.size
    padded = F.pad(grid.laid_out().long(), (SIDE // 2,) * 4, value=grid.outside)
    pixels_N = pixels_N.long()
    image, row, column = pixels_N // (height * width), pixels_N // width % height, pixels_N % width
    step = torch.arange(SIDE, device=pixels_N.device)
    return padded[
        image[:, None, None], row[:, None, None] + step.view(1, -1, 1), column[:, None, None] + step.view(1, 1, -1)
    ]
