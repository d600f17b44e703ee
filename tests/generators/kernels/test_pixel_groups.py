"""Several pixels as one: the same convolution."""

import pytest
import torch
from torch import nn

from generators.kernels.pixel_groups import PixelGroups


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_grouped_pixels_are_the_plain_convolution_in_the_plain_layout(group, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 3, 7, bias=bias)
    x = torch.randn(2, 5, 12, 22).contiguous(memory_format=torch.channels_last)
    found = PixelGroups(conv, group)(x)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, conv(x), atol=1e-5, rtol=0)


def test_channels_that_are_zero_can_be_left_out():
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 4, 3)
    x = torch.randn(1, 6, 6, 10)
    x[:, [0, 3, 5]] = 0
    kept = torch.tensor([1, 2, 4])
    some = torch.cat([x[:, kept], torch.zeros(1, 1, 6, 10)], 1)
    torch.testing.assert_close(PixelGroups(conv, 2)(some, kept), conv(x), atol=1e-5, rtol=0)
