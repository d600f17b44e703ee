"""Convolutions as products over rows: the same convolution, in the same layout."""

import pytest
import torch
from torch import nn

from generators.kernels import row_conv
from generators.kernels.row_conv import RowConv


def given(in_channels=8, out_channels=3, size=(12, 22), bias=True):
    torch.manual_seed(0)
    conv = nn.Conv2d(in_channels, out_channels, 7, bias=bias)
    return conv, torch.randn(2, in_channels, *size).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("bias", [False, True])
@torch.inference_mode()
def test_it_is_the_plain_convolution_in_channels_last(group, bias):
    conv, x = given(bias=bias)
    found = RowConv(conv, group)(x)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, conv(x), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_squashed_it_is_the_tanh_of_it():
    conv, x = given()
    torch.testing.assert_close(RowConv(conv, 2, squash=True)(x), torch.tanh(conv(x)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("in_channels", "out_channels", "group"), [(8, 3, 8), (40, 32, 2), (24, 64, 1)])
@pytest.mark.parametrize("squash", [False, True])
@torch.inference_mode()
def test_the_kernel_gives_what_the_plain_form_gives(kernels_on, in_channels, out_channels, group, squash, monkeypatch):
    conv, x = given(in_channels, out_channels, (9, 22))
    # Triton's interpreter has no products of bfloat16.
    dtype = torch.bfloat16 if kernels_on == "cuda" else torch.float16
    tolerance = 5e-3 if dtype is torch.float16 else 3e-2
    layer, x = RowConv(conv, group, squash).to(kernels_on), x.to(kernels_on, dtype)
    found = layer(x)
    monkeypatch.setattr(row_conv, "usable", lambda _: False)
    wanted = layer.float()(x.float())
    assert found.dtype == (torch.float32 if squash else dtype)
    torch.testing.assert_close(found.float(), wanted, atol=tolerance, rtol=tolerance)
