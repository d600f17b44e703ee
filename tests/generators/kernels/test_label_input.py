"""What the first convolution is given: one-hot labels beside other maps, filled up, halved, bordered."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from generators.conditioning import one_hot
from generators.kernels import label_input
from generators.kernels.bare_conv import whole_groups
from generators.kernels.label_input import encode, widen


def given(device="cpu", others=2, size=(10, 14)):
    torch.manual_seed(0)
    labels = torch.randint(0, 5, (2, *size), dtype=torch.int32, device=device)
    return labels, torch.randn(2, others, *size, device=device)


def test_channels_are_filled_up_with_zeros():
    labels, others = given()
    found = encode(labels, others, 5, torch.float32)
    assert found.shape == (2, 8, 10, 14)
    torch.testing.assert_close(found[:, :7], torch.cat([one_hot(labels, 5), others], 1))
    assert not found[:, 7:].any()


def test_a_widened_convolution_of_them_gives_what_the_narrow_one_gives():
    labels, others = given()
    conv = nn.Conv2d(7, 4, 7, padding=3, padding_mode="reflect")
    wanted = conv(torch.cat([one_hot(labels, 5), others], 1))
    wide = widen(conv)
    found = F.conv2d(encode(labels, others, 5, torch.float32, border=3), wide.weight, wide.bias)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_the_average_counts_the_pixels_inside():
    labels, others = given()
    found = encode(labels, others[:, :0], 5, torch.float32, halved=True)
    corner = labels[0, :2, :2]
    assert found[0, int(corner[0, 0]), 0, 0] == (corner == corner[0, 0]).float().mean()


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("border", [0, 3])
@pytest.mark.parametrize("others", [0, 1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_kernel_gives_what_the_plain_form_gives(kernels_on, halved, border, others, dtype, monkeypatch):
    labels, maps = given(kernels_on, others)
    maps = maps.contiguous(memory_format=torch.channels_last)
    found = encode(labels, maps, 5, dtype, border, halved)
    monkeypatch.setattr(label_input, "usable", lambda _: False)
    wanted = encode(labels, maps, 5, dtype, border, halved)
    assert found.shape[1] == whole_groups(5 + others)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, wanted, atol=1e-6 if dtype is torch.float32 else 1e-2, rtol=1e-2)
