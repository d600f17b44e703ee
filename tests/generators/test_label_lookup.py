"""Looking labels up equals convolving them one-hot."""

import pytest
import torch
from torch import nn

from generators.blocks import halve
from generators.conditioning import one_hot
from generators.label_lookup import LabelLookup, halved_one_hot


@pytest.mark.parametrize("padding_mode", ["reflect", "zeros"])
@pytest.mark.parametrize("kernel", [1, 3, 7])
@torch.inference_mode()
def test_lookup_equals_the_convolution_of_one_hot_labels(kernel, padding_mode):
    torch.manual_seed(0)
    conv = nn.Conv2d(9, 5, kernel, padding=kernel // 2, padding_mode=padding_mode)
    labels = torch.randint(0, 6, (2, 11, 14))
    # Three further input channels are not labels: they are left to the caller.
    rest = torch.zeros(2, 3, 11, 14)
    expected = conv(torch.cat([one_hot(labels, 6), rest], 1)) - conv.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(LabelLookup(conv, 6)(labels), expected, atol=1e-6, rtol=0)


@torch.inference_mode()
def test_lookup_in_several_pieces_is_the_same(monkeypatch):
    conv = nn.Conv2d(6, 5, 3, padding=1, padding_mode="reflect")
    labels = torch.randint(0, 6, (1, 11, 14))
    whole = LabelLookup(conv, 6)(labels)
    monkeypatch.setattr("generators.label_lookup._PIXELS_AT_ONCE", 30)
    assert torch.equal(LabelLookup(conv, 6)(labels), whole)


def test_lookup_refuses_a_strided_convolution():
    with pytest.raises(ValueError, match=r"^only size-preserving convolutions can be looked up, not Conv2d\("):
        LabelLookup(nn.Conv2d(6, 5, 3, stride=2, padding=1), 6)


@pytest.mark.parametrize("size", [(8, 12), (7, 11)])
def test_counting_labels_halves_them_as_averaging_their_one_hot_map_does(size):
    labels = torch.randint(0, 5, (2, *size), generator=torch.Generator().manual_seed(0))
    assert torch.equal(halved_one_hot(labels, 5), halve()(one_hot(labels, 5)))
