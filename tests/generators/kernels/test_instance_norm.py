"""Instance norm in two passes: what PyTorch's own layers give, and the kernels give the same."""

import pytest
import torch
import torch.nn.functional as F

from generators.kernels import instance_norm
from generators.kernels.instance_norm import moments, normalise, without_border


def maps(dtype=torch.float32, channels=24, size=(9, 14), device="cpu"):
    torch.manual_seed(0)
    # Means far from zero, where sums of squares lose their digits.
    x = torch.randn(2, channels, *size) * 0.5 + torch.linspace(-30, 30, channels).view(1, -1, 1, 1)
    return x.to(device, dtype).contiguous(memory_format=torch.channels_last)


def test_it_is_instance_norm_then_relu_then_the_sum_then_the_border():
    x, other = maps(), maps().flip(3)
    found = normalise(x, moments(x), rectify=True, add_BCHW=other, border=3)
    wanted = F.pad(F.relu(F.instance_norm(x)) + other, [3] * 4, mode="reflect")
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-5)


def test_over_the_layer_all_channels_share_one_mean():
    x = maps()
    found = normalise(x, moments(x, over_layer=True))
    torch.testing.assert_close(found, F.group_norm(x, 1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("channels", "size"), [(3, (5, 4)), (32, (40, 70)), (200, (9, 14)), (64, (1, 2))], ids=str)
@pytest.mark.parametrize("over_layer", [False, True])
def test_the_kernels_give_what_the_plain_form_gives(kernels_on, dtype, channels, size, over_layer):
    x = maps(dtype, channels, size, kernels_on)
    border = 2 if min(size) > 2 else 0
    inner = without_border(maps(dtype, channels, tuple(side + 2 for side in size), kernels_on), 1)
    found = normalise(x, moments(x, over_layer=over_layer), rectify=not over_layer, add_BCHW=inner, border=border)
    plain = _plainly(x, over_layer, inner, border)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, plain, atol=2e-4 if dtype is torch.float32 else 0.25, rtol=1e-2)


def _plainly(x, over_layer, inner, border):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance_norm, "usable", lambda _: False)
        return normalise(x, moments(x, over_layer=over_layer), not over_layer, inner, border)
