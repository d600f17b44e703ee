"""Neighbourhoods: keys, ranks and convolutions of looks."""

import pytest
import torch
import torch.nn.functional as F

from generators.kernels import neighbourhoods as module
from generators.kernels.neighbourhoods import Decimated, hidden_around, rank, write_keys
from generators.kernels.support import has_triton, interpreted

RUNS = has_triton() and (torch.cuda.is_available() or interpreted())
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NEEDS = pytest.mark.skipif(not RUNS, reason="needs Triton, and a GPU or its interpreter")
OUTSIDE = 4


def looks(batch=2, height=24, width=40):
    torch.manual_seed(height)
    blocks = torch.randint(0, OUTSIDE, (batch, height // 4, width // 4), dtype=torch.int32)
    return blocks.repeat_interleave(4, 1).repeat_interleave(4, 2).to(DEVICE)


def keys_of(grid):
    keys = torch.empty(grid.laid_out().numel(), dtype=torch.int64, device=DEVICE)
    write_keys(keys, grid, first_group=3, key_bits=58)
    return keys


@pytest.mark.parametrize("cell", [1, 2])
def test_pixels_have_one_key_where_they_see_the_same_and_are_of_one_image(cell):
    grid = Decimated(looks(), cell, OUTSIDE)
    padded = F.pad(grid.laid_out().long(), (2, 2, 2, 2), value=OUTSIDE)
    windows = padded.unfold(1, 5, 1).unfold(2, 5, 1).flatten(3)
    images = torch.arange(2, device=DEVICE).view(2, 1, 1, 1).expand(*windows.shape[:3], 1)
    seen = [tuple(row) for row in torch.cat([images, windows], dim=3).flatten(0, 2).tolist()]
    keys = keys_of(grid).tolist()
    assert len(set(seen)) == len(set(keys)) == len(set(zip(seen, keys, strict=True)))
    assert {key >> 58 for key in keys[: len(keys) // 2]} == {3}
    assert {key >> 58 for key in keys[len(keys) // 2 :]} == {4}


def test_neighbourhoods_that_balance_each_other_in_sums_of_powers_differ():
    # Their signed difference times (2 * position + 3) ** 7 sums to nothing over the 25 positions.
    one = "00010 00011 01000 01000 01100", "11101 00100 00000 10110 00010"
    maps = [torch.tensor([[int(bit) for bit in row] for row in text.split()], dtype=torch.int32) for text in one]
    grid = Decimated((torch.stack(maps) * 2 + 4).to(DEVICE), 1, outside=9)
    keys = keys_of(grid).view(2, 25) & (2**58 - 1)
    assert keys[0, 12] != keys[1, 12]


def test_ranks_follow_the_keys_and_name_a_pixel_each():
    keys = torch.tensor([7, 3, 7, 9, 3, 3], device=DEVICE)
    rank_of_pixel, pixel_of_rank, used = rank(keys)
    assert rank_of_pixel.tolist() == [1, 0, 1, 2, 0, 0]
    assert keys[pixel_of_rank[:3].long()].tolist() == [3, 7, 9]
    assert used.tolist() == [1, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("cell", [1, 2])
def test_hidden_features_are_those_of_the_convolution(cell, noisy):
    torch.manual_seed(0)
    grid = Decimated(looks(), cell, OUTSIDE)
    conv = torch.nn.Conv2d(OUTSIDE + noisy, 6, 3, padding=1).to(DEVICE)
    onehot = F.one_hot(grid.laid_out().long(), OUTSIDE).permute(0, 3, 1, 2).float()
    if noisy:
        onehot = torch.cat([onehot, torch.ones_like(onehot[:, :1])], dim=1)
    hidden = F.relu(conv(onehot))
    wanted = F.unfold(hidden, 3, padding=1).view(2, 6, 9, -1).permute(0, 3, 2, 1).flatten(2).flatten(0, 1)
    weight = conv.weight.detach().permute(2, 3, 1, 0).flatten(0, 1)
    table = F.pad(weight[:, :OUTSIDE], (0, 0, 0, 1)).flatten(0, 1)
    pixels = torch.arange(len(wanted), device=DEVICE, dtype=torch.int32).flip(0)
    everywhere = weight[:, OUTSIDE].contiguous() if noisy else None
    found = hidden_around(grid, pixels, table, conv.bias.detach(), everywhere)
    torch.testing.assert_close(found, wanted.flip(0), atol=1e-5, rtol=1e-5)


@NEEDS
@pytest.mark.parametrize("cell", [1, 2, 8])
def test_the_kernels_keys_and_ranks_are_those_of_the_plain_form(cell, monkeypatch):
    grid = Decimated(looks(), cell, OUTSIDE)
    found = keys_of(grid)
    ranked = rank(found)
    monkeypatch.setattr(module, "usable", lambda _: False)
    assert torch.equal(keys_of(grid), found)
    wanted = rank(found)
    assert torch.equal(ranked[0], wanted[0])
    assert torch.equal(ranked[2], wanted[2])
    count = int(wanted[2][-1])
    assert torch.equal(ranked[1][:count], wanted[1][:count])


@NEEDS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("hidden", [6, 128])
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("cell", [1, 4])
def test_the_kernels_hidden_features_are_those_of_the_plain_form(cell, noisy, hidden, dtype, monkeypatch):
    torch.manual_seed(0)
    grid = Decimated(looks(), cell, OUTSIDE)
    table = torch.randn(9 * (OUTSIDE + 1), hidden).to(DEVICE, dtype)
    bias = torch.randn(hidden, device=DEVICE)
    everywhere = torch.randn(9, hidden).to(DEVICE, dtype) if noisy else None
    pixels = torch.randperm(grid.laid_out().numel())[:37].int().to(DEVICE)
    found = hidden_around(grid, pixels, table, bias, everywhere)
    monkeypatch.setattr(module, "usable", lambda _: False)
    wanted = hidden_around(grid, pixels, table, bias, everywhere)
    near = {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 2e-2, "rtol": 1e-2}
    torch.testing.assert_close(found, wanted, **near)
