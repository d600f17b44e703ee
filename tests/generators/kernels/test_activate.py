"""Bias and activation in one pass."""

import pytest
import torch
import torch.nn.functional as F

from generators.kernels.activate import activate
from generators.kernels.support import has_triton, interpreted

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not (has_triton() and torch.cuda.is_available()), reason="needs a GPU")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_a_map_of_another_layout_gives_the_same(device):
    x = torch.randn(1, 5, 7, 9, device=device)
    wanted = F.relu(x + 1)
    torch.testing.assert_close(activate(x, torch.ones(5, device=device), 0.0), wanted)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("channels", [5, 64, 200])
def test_bias_is_added_and_negative_values_shrink(channels, slope, dtype, device):
    torch.manual_seed(0)
    x = torch.randn(2, channels, 7, 9).to(device, dtype).contiguous(memory_format=torch.channels_last)
    bias = torch.randn(channels, device=device)
    wanted = F.leaky_relu(x.double() + bias.double().view(1, -1, 1, 1), slope).to(dtype)
    found = activate(x, bias, slope)
    torch.testing.assert_close(found, wanted)
    assert found.is_contiguous(memory_format=torch.channels_last)
    if device == "cuda" or (interpreted() and has_triton()):
        assert found.data_ptr() == x.data_ptr()
