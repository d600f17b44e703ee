"""Modulation in one pass against its steps one by one."""

import pytest
import torch
import torch.nn.functional as F

from generators.kernels import modulate as module
from generators.kernels.modulate import PLACES, Cells, Table, cell_of_pixel, modulate
from generators.kernels.pixels import pixel_rows
from generators.kernels.support import has_triton, interpreted

RUNS = has_triton() and (torch.cuda.is_available() or interpreted())
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def given(channels, doubled, by_rows, factor, dtype=torch.float32, device="cpu", batch=2, height=16, width=32):
    """x, a table, its bias and cells, and scale and shift as the maps they stand for, in float64."""
    torch.manual_seed(channels + width)
    shrunk = 2 if doubled else 1
    x = torch.randn(batch, channels, height // shrunk, width // shrunk)
    x = x.to(device, dtype).contiguous(memory_format=torch.channels_last)
    pixels = batch * height * width
    rows = torch.randint(0, 7, (pixels,), device=device, dtype=torch.int32) if by_rows else None
    table = Table(torch.randn(7 if by_rows else pixels, 2 * channels).to(device, dtype), rows)
    bias = torch.randn(2 * channels, device=device)
    both = (table.both_NC if rows is None else table.both_NC[rows.long()]).double() + bias.double()
    both = both.view(batch, height, width, -1).permute(0, 3, 1, 2)
    cells = None
    if factor:
        side = min(factor, PLACES)
        held = torch.randn(batch, 2 * channels, height // factor * side, width // factor * side).to(device, dtype)
        cells = Cells(held.contiguous(memory_format=torch.channels_last), factor)
        spread = pixel_rows(held)[cell_of_pixel(cells, batch, height, width)].double()
        both = both + spread.view(batch, height, width, -1).permute(0, 3, 1, 2)
    return x, table, bias, cells, both


@pytest.mark.parametrize("slope", [1.0, 0.2])
@pytest.mark.parametrize("factor", [0, 2, 8])
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("doubled", [False, True])
def test_scale_and_shift_are_spread_and_applied(doubled, by_rows, factor, slope):
    x, table, bias, cells, both = given(6, doubled, by_rows, factor)
    found = modulate(x, table, bias, cells, doubled=doubled, slope=slope)
    wide = x.double().repeat_interleave(2, 2).repeat_interleave(2, 3) if doubled else x.double()
    wanted = F.leaky_relu(wide * both[:, :6] + both[:, 6:], slope)
    torch.testing.assert_close(found.double(), wanted, atol=1e-5, rtol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 16])
def test_cells_hold_all_that_two_convolutions_behind_an_enlargement_tell_apart(factor):
    torch.manual_seed(factor)
    first, second = (torch.nn.Conv2d(3, 3, 3, padding=1).double() for _ in range(2))
    coarse = torch.randn(2, 3, 2, 3, dtype=torch.float64)

    def convolved(side):
        return second(F.relu(first(F.interpolate(coarse, scale_factor=float(side), mode="nearest"))))

    cells = Cells(convolved(min(factor, PLACES)), factor)
    found = pixel_rows(cells.both_BCHW)[cell_of_pixel(cells, 2, 2 * factor, 3 * factor)]
    torch.testing.assert_close(found, pixel_rows(convolved(factor)), atol=1e-12, rtol=1e-12)


@pytest.mark.skipif(not RUNS, reason="needs Triton, and a GPU or its interpreter")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("channels", "width"), [(6, 34), (64, 32), (192, 32)])
@pytest.mark.parametrize(("by_rows", "factor"), [(False, 0), (True, 0), (True, 2), (True, 8), (False, 8)])
@pytest.mark.parametrize("doubled", [False, True])
def test_the_kernel_gives_the_plain_form(doubled, by_rows, factor, channels, width, dtype, monkeypatch):
    if factor == 8:
        width = 32
    x, table, bias, cells, _ = given(channels, doubled, by_rows, factor, dtype, DEVICE, width=width)
    found = modulate(x, table, bias, cells, doubled=doubled, slope=0.2)
    monkeypatch.setattr(module, "usable", lambda _: False)
    wanted = modulate(x, table, bias, cells, doubled=doubled, slope=0.2)
    near = {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 1e-2, "rtol": 1e-2}
    torch.testing.assert_close(found, wanted, **near)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(not RUNS, reason="needs Triton, and a GPU or its interpreter")
@pytest.mark.parametrize("factor", [1, 2, 4, 16])
def test_the_kernel_takes_one_map_of_any_layout(factor, monkeypatch):
    x, table, bias, cells, _ = given(6, True, True, factor, device=DEVICE, batch=1)
    x = x.contiguous()
    cells = Cells(cells.both_BCHW.contiguous(), factor)
    found = modulate(x, table, bias, cells, doubled=True)
    monkeypatch.setattr(module, "usable", lambda _: False)
    torch.testing.assert_close(found, modulate(x, table, bias, cells, doubled=True), atol=1e-5, rtol=1e-5)
