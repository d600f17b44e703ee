"""The kernels of layout-conditional networks: plain forms against obvious compositions, Triton against plain forms."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from generators.kernels.activate import activate
from generators.kernels.gated import gated
from generators.kernels.label_taps import LabelTaps, add_label_taps
from generators.kernels.per_pixel import PerPixel, filter_per_pixel
from generators.kernels.scaled import scale_and_shift
from generators.kernels.tiles import empty_map, packed, tap_tiles, tiles

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
by_kernel = pytest.mark.usefixtures("kernels_on")
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
# 144 channels take several blocks, 7 fill none; 70 columns take several blocks of pixels.
shapes = pytest.mark.parametrize(
    ("batch", "channels", "height", "width"), [(2, 7, 4, 6), (1, 144, 2, 34), (1, 64, 6, 70)]
)


def maps(*size: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return packed(torch.randn(*size)).to(DEVICE, dtype)


def plainly(monkeypatch, run):
    """What `run` gives without any kernel."""
    with monkeypatch.context() as patched:
        for name in ("per_pixel", "label_taps", "gated", "activate", "scaled"):
            patched.setattr(f"generators.kernels.{name}.usable", lambda _: False)
        return run()


def alike(found, wanted, dtype):
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 1e-2}[dtype]
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=tolerance)


def doubled(x):
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def unfolded(x, kernels, same):
    """Every pixel's neighbourhood side by side, normalised before it is padded."""
    batch, channels, height, width = x.shape
    normalised = x * same.scale_C.view(1, -1, 1, 1) + same.shift_C.view(1, -1, 1, 1)
    windows = F.unfold(normalised, 3, padding=1).view(batch, channels, 9, height, width)
    weights = (kernels + same.bias_N.view(1, -1, 1, 1)).view(batch, 9, channels, height, width)
    return (windows * weights.transpose(1, 2)).sum(2)


def per_pixel_case(batch, channels, height, width, doubles, dtype=torch.float32):
    torch.manual_seed(0)
    factor = 2 if doubles else 1
    x = maps(batch, channels, height // factor, width // factor, dtype=dtype)
    kernels = maps(batch, 9 * channels, height, width, dtype=dtype)
    same = PerPixel(*(torch.randn(n, device=DEVICE) for n in (9 * channels, channels, channels)))
    return x, kernels, same


@pytest.mark.parametrize("doubles", [False, True])
def test_filtering_is_a_sum_over_normalised_neighbours(doubles, monkeypatch):
    x, kernels, same = per_pixel_case(2, 3, 4, 6, doubles)
    out = empty_map(x, 2, 3, 4, 6)
    plainly(monkeypatch, lambda: filter_per_pixel(x, kernels, same, out, doubles=doubles))
    alike(out, unfolded(doubled(x) if doubles else x, kernels, same), torch.float32)


def test_a_band_of_rows_touches_no_other_row():
    x, kernels, same = per_pixel_case(1, 3, 6, 4, False)
    out = torch.full_like(x, 7.0)
    filter_per_pixel(x, kernels[:, :, 2:5], same, out, top=2)
    alike(out[:, :, 2:5], unfolded(x, kernels, same)[:, :, 2:5], torch.float32)
    assert (out[:, :, :2] == 7).all()
    assert (out[:, :, 5:] == 7).all()


def test_kernels_of_another_size_are_refused():
    x, kernels, same = per_pixel_case(1, 3, 4, 4, False)
    with pytest.raises(
        ValueError, match=r"per-pixel kernels have shape \(1, 26, 4, 4\); expected \(1, 27, 'rows', 4\)"
    ):
        filter_per_pixel(x, kernels[:, :26], same, torch.empty_like(x))


@by_kernel
@dtypes
@shapes
@pytest.mark.parametrize("doubles", [False, True])
def test_kernel_of_per_pixel_filters(batch, channels, height, width, doubles, dtype, monkeypatch):
    x, kernels, same = per_pixel_case(batch, channels, height, width, doubles, dtype)
    found, wanted = (torch.zeros_like(empty_map(x, batch, channels, height, width)) for _ in range(2))
    # A band that begins at an odd row, then what is left above it: images one by one, as bands come.
    for image in range(batch):
        some = slice(image, image + 1)
        for rows in (slice(1, height), slice(0, 1)):
            for out, way in ((found, lambda run: run()), (wanted, lambda run: plainly(monkeypatch, run))):
                way(
                    lambda out=out, some=some, rows=rows: filter_per_pixel(
                        x[some], kernels[some, :, rows], same, out[some], rows.start, doubles
                    )
                )
    alike(found, wanted, dtype)
    filter_per_pixel(x, kernels, same, found.zero_(), 0, doubles)
    alike(found, wanted, dtype)


def taps_case(batch, channels, height, width, dtype=torch.float32, classes=4):
    torch.manual_seed(0)
    codes = torch.randint(0, classes, (batch, 1, height, width), dtype=torch.int32, device=DEVICE)
    taps = LabelTaps(torch.randn(9 * classes, channels).to(DEVICE, dtype), torch.randn(channels, device=DEVICE))
    return maps(batch, channels, height, width, dtype=dtype), codes, taps


@pytest.mark.parametrize("parts", [1, 2])
def test_looking_labels_up_is_convolving_them(parts, monkeypatch):
    level, codes, taps = taps_case(2, 6, 3, 5)
    onehot = F.one_hot(codes[:, 0].long(), 4).permute(0, 3, 1, 2).float()
    weight = taps.table_KN.view(3, 3, 4, 6).permute(3, 2, 0, 1)
    wanted = F.leaky_relu(level + F.conv2d(onehot, weight, taps.bias_N, padding=1), 0.2)
    found = plainly(monkeypatch, lambda: add_label_taps(level, codes, taps, 0.2, parts))
    assert len(found) == parts
    alike(torch.cat(found, 1), wanted, torch.float32)
    [alone] = plainly(monkeypatch, lambda: add_label_taps(None, codes, taps, 0.0))
    alike(alone, F.conv2d(onehot, weight, taps.bias_N, padding=1).relu(), torch.float32)


@by_kernel
@dtypes
@shapes
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("beside", [True, False])
def test_kernel_of_label_taps(batch, channels, height, width, parts, beside, dtype, monkeypatch):
    level, codes, taps = taps_case(batch, channels * parts, height, width, dtype)
    level = level if beside else None
    found = add_label_taps(level, codes, taps, 0.2, parts)
    for part, wanted in zip(
        found, plainly(monkeypatch, lambda: add_label_taps(level, codes, taps, 0.2, parts)), strict=True
    ):
        assert part.is_contiguous(memory_format=torch.channels_last)
        alike(part, wanted, dtype)


def gated_case(batch, channels, height, width, side, dtype=torch.float32):
    torch.manual_seed(0)
    factor = 2 if side == "half" else 1
    sides = None if side == "none" else maps(batch, channels, height // factor, width // factor, dtype=dtype)
    mixed, gates = (maps(batch, channels, height, width, dtype=dtype) for _ in range(2))
    mix_bias, gate_bias = (torch.randn(channels, device=DEVICE) for _ in range(2))
    return mixed, mix_bias, gates, gate_bias, sides


@pytest.mark.parametrize("side", ["none", "whole", "half"])
def test_gating_multiplies_by_a_sigmoid_and_adds_the_shortcut(side, monkeypatch):
    mixed, mix_bias, gates, gate_bias, sides = gated_case(2, 3, 4, 6, side)
    open_share = torch.sigmoid(gates + gate_bias.view(1, -1, 1, 1))
    wanted = F.leaky_relu((mixed + mix_bias.view(1, -1, 1, 1)) * open_share, 0.2)
    if sides is not None:
        wanted = wanted + (doubled(sides) if side == "half" else sides)
    alike(plainly(monkeypatch, lambda: gated(mixed, mix_bias, gates, gate_bias, sides)), wanted, torch.float32)


@by_kernel
@dtypes
@shapes
@pytest.mark.parametrize("side", ["none", "whole", "half"])
def test_kernel_of_gates(batch, channels, height, width, side, dtype, monkeypatch):
    mixed, *others = gated_case(batch, channels, height, width, side, dtype)
    wanted = plainly(monkeypatch, lambda: gated(mixed.clone(), *others))
    alike(gated(mixed, *others), wanted, dtype)


@pytest.mark.parametrize("coarse", [False, True])
def test_activating_adds_the_bias_first_and_the_coarser_map_last(coarse, monkeypatch):
    torch.manual_seed(0)
    x, bias = maps(2, 3, 4, 6), torch.randn(3, device=DEVICE)
    above = maps(2, 3, 2, 3) if coarse else None
    wanted = F.leaky_relu(x + bias.view(1, -1, 1, 1), 0.2)
    if above is not None:
        wanted = wanted + doubled(above)
    alike(plainly(monkeypatch, lambda: activate(x, bias, 0.2, above)), wanted, torch.float32)


@by_kernel
@dtypes
@shapes
@pytest.mark.parametrize("coarse", [False, True])
def test_kernel_of_activations(batch, channels, height, width, coarse, dtype, monkeypatch):
    torch.manual_seed(0)
    x, bias = maps(batch, channels, height, width, dtype=dtype), torch.randn(channels, device=DEVICE)
    above = maps(batch, channels, height // 2, width // 2, dtype=dtype) if coarse else None
    wanted = plainly(monkeypatch, lambda: activate(x.clone(), bias, 0.2, above))
    alike(activate(x, bias, 0.2, above), wanted, dtype)


def scaled_case(batch, channels, height, width, doubles, dtype=torch.float32):
    torch.manual_seed(0)
    factor = 2 if doubles else 1
    x = maps(batch, channels, height // factor, width // factor, dtype=dtype)
    return x, maps(batch, 2 * channels, height, width, dtype=dtype), torch.randn(2 * channels, device=DEVICE)


@pytest.mark.parametrize("doubles", [False, True])
def test_scaling_multiplies_by_the_first_half_and_adds_the_second(doubles, monkeypatch):
    x, both, bias = scaled_case(2, 3, 4, 6, doubles)
    out = empty_map(x, 2, 3, 4, 6)
    plainly(monkeypatch, lambda: scale_and_shift(x, both, bias, out, doubles=doubles))
    scale, shift = (both + bias.view(1, -1, 1, 1)).split(3, dim=1)
    alike(out, (doubled(x) if doubles else x) * scale + shift, torch.float32)


@by_kernel
@dtypes
@shapes
@pytest.mark.parametrize("doubles", [False, True])
def test_kernel_of_scales(batch, channels, height, width, doubles, dtype, monkeypatch):
    x, both, bias = scaled_case(batch, channels, height, width, doubles, dtype)
    found, wanted = (torch.zeros_like(empty_map(x, batch, channels, height, width)) for _ in range(2))
    for image in range(batch):
        some = slice(image, image + 1)
        for rows in (slice(1, height), slice(0, 1)):
            given = (x[some], both[some, :, rows], bias)
            scale_and_shift(*given, found[some], rows.start, doubles)
            plainly(
                monkeypatch,
                lambda given=given, some=some, rows=rows: scale_and_shift(*given, wanted[some], rows.start, doubles),
            )
    alike(found, wanted, dtype)


def test_tiles_cover_every_pixel_and_channel():
    for channels, choose in itertools.product((1, 3, 64, 100, 1024), (tiles, tap_tiles)):
        tile = choose(channels)
        assert tile.programs(2, 70, channels) * tile.pixels * tile.channels >= 2 * 70 * channels
        assert tile.pixels & (tile.pixels - 1) == tile.channels & (tile.channels - 1) == 0
