"""The distinct neighbourhoods of labels at every size of a network, found in one sort with one wait for the device."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from generators.kernels.neighbourhoods import Decimated, rank, write_keys


class Distinct(NamedTuple):
    """What the pixels of one image at one size have around them, each once."""

    grid: Decimated
    row_of_pixel_P: Tensor  # int32
    pixel_of_row_N: Tensor  # int32, flat on the grid


def find_distinct(looks_BHW: Tensor, cells: Sequence[int], outside: int) -> list[list[Distinct]]:
    """For every image and, within it, every cell size, in the order given. Images do not change each other's.

    Every image at every size is a group of keys; ordered by their groups first, each ends at a place known beforehand.
    """
    batch = len(looks_BHW)
    grids = [Decimated(looks_BHW, cell, outside) for cell in cells]
    sizes = [grid.size[1] * grid.size[2] for grid in grids for _ in range(batch)]
    ends = list(itertools.accumulate(sizes))
    keys_P = looks_BHW.new_empty(ends[-1], dtype=torch.int64)
    key_bits = 63 - (len(sizes) - 1).bit_length()
    start = 0
    for index, grid in enumerate(grids):
        group = index * batch
        write_keys(keys_P[start : ends[group + batch - 1]], grid, group, key_bits)
        start = ends[group + batch - 1]
    rank_of_pixel_P, pixel_of_rank_P, used_P = rank(keys_P)
    # The only thing the host has to know: how many there are.
    used = torch.stack([used_P[end - 1] for end in ends]).tolist()
    found: list[list[Distinct]] = [[] for _ in range(batch)]
    for group, (end, size, rows_end) in enumerate(zip(ends, sizes, used, strict=True)):
        image, cell = group % batch, cells[group // batch]
        pixels, rows = slice(end - size, end), slice(used[group - 1] if group else 0, rows_end)
        grid = Decimated(looks_BHW[image : image + 1], cell, outside)
        of_pixel, of_row = rank_of_pixel_P[pixels] - rows.start, pixel_of_rank_P[rows] - pixels.start
        found[image].append(Distinct(grid, of_pixel, of_row))
    return found
