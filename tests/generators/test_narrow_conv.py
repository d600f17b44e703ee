"""A convolution taken row by row equals the convolution."""

import pytest
import torch
from torch import nn

from generators.narrow_conv import RowwiseConv


@pytest.mark.parametrize("padding_mode", ["reflect", "zeros"])
@pytest.mark.parametrize(("kernel", "bias"), [(7, True), (3, False)])
@torch.inference_mode()
def test_rows_sum_to_the_convolution(kernel, bias, padding_mode):
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 3, kernel, padding=kernel // 2, padding_mode=padding_mode, bias=bias)
    x = torch.randn(2, 5, 11, 14)
    torch.testing.assert_close(RowwiseConv(conv)(x), conv(x), atol=1e-5, rtol=0)


def test_a_strided_convolution_is_refused():
    with pytest.raises(ValueError, match=r"^only plain convolutions of stride 1 can be taken row by row, not Conv2d\("):
        RowwiseConv(nn.Conv2d(5, 3, 3, stride=2))
