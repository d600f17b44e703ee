"""Minimal filtering against direct convolution in double precision."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from generators.minimal_filtering import OF_FOUR, MinimalConv, filtered_minimally


def conv_of(in_channels, out_channels, padding=1, bias=True):
    torch.manual_seed(in_channels + out_channels)
    return nn.Conv2d(in_channels, out_channels, 3, padding=padding, bias=bias)


def doubly(conv, x, padding=None):
    bias = None if conv.bias is None else conv.bias.double()
    return F.conv2d(x.double(), conv.weight.double(), bias, padding=conv.padding if padding is None else padding)


def test_one_dimension_is_a_convolution_exactly():
    back, kernel, into = OF_FOUR[2:]
    taps, inputs = torch.tensor([3.0, -1, 2]).double(), torch.tensor([1.0, 4, -2, 5, 0, 7]).double()
    found = back @ ((kernel @ taps) * (into @ inputs))
    # By hand: 3*1 - 4 - 4, 3*4 + 2 + 10, -6 - 5 + 0, 15 - 0 + 14
    torch.testing.assert_close(found, torch.tensor([-5.0, 24, -11, 29]).double(), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("batch", "height", "width", "padding", "bias"),
    [(1, 16, 32, 1, True), (2, 7, 9, 1, True), (1, 5, 700, 0, False), (3, 4, 4, 1, False), (1, 3, 3, 0, True)],
)
@torch.inference_mode()
def test_outputs_are_those_of_the_direct_form(batch, height, width, padding, bias):
    conv = conv_of(64, 96, padding, bias)
    x = torch.randn(batch, 64, height, width)
    wanted = doubly(conv, x)
    found = MinimalConv(conv)(x)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found.double(), wanted, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_padding_can_be_told():
    conv, x = conv_of(64, 64), torch.randn(1, 64, 10, 12)
    torch.testing.assert_close(MinimalConv(conv)(x, (0, 1)).double(), doubly(conv, x, (0, 1)), atol=2e-5, rtol=0)


@torch.inference_mode()
def test_borders_are_reflected_where_the_convolution_reflects_them():
    conv, x = conv_of(64, 64), torch.randn(2, 64, 6, 7)
    conv.padding_mode = "reflect"
    reflected = F.pad(x, (1, 1, 1, 1), mode="reflect")
    torch.testing.assert_close(MinimalConv(conv)(x).double(), doubly(conv, reflected, 0), atol=2e-5, rtol=0)


@torch.inference_mode()
def test_roundings_are_a_millionth_of_the_outputs():
    conv, x = conv_of(256, 256), torch.randn(1, 256, 32, 32).relu()
    wanted = doubly(conv, x)
    assert (MinimalConv(conv)(x).double() - wanted).square().mean().sqrt() < 1e-6 * wanted.std()


@torch.inference_mode()
def test_large_kernels_are_taken_to_fewer_points():
    conv, x = conv_of(768, 512), torch.randn(1, 768, 5, 6)
    minimal = MinimalConv(conv)
    assert minimal.kernel.numel() == 16 * 768 * 512
    torch.testing.assert_close(minimal(x).double(), doubly(conv, x), atol=2e-5, rtol=0)


@torch.inference_mode()
def test_what_is_narrow_or_of_another_kind_stays_as_it_is():
    kinds = [nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3, 2), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 64, 3, groups=64)]
    net = nn.Sequential(*kinds, nn.Sequential(conv_of(64, 64)))
    filtered_minimally(net)
    assert list(net)[:4] == kinds
    assert isinstance(net[4][0], MinimalConv)
    with pytest.raises(ValueError, match="only plain 3 x 3 convolutions"):
        MinimalConv(kinds[1])
