"""Shared units against torch's own and against values computed by hand."""

import pytest
import torch
from torch import nn

from generators.blocks import InstanceNorm, halve


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("channels", [5, 300])
def test_instance_norm_equals_torchs_own_with_its_gradient(batch, channels):
    x = torch.randn(batch, channels, 6, 9, generator=torch.Generator().manual_seed(0)).mul(3).add(1).requires_grad_()
    weights = torch.randn(batch, channels, 6, 9, generator=torch.Generator().manual_seed(1))
    ours, theirs = InstanceNorm(channels)(x), nn.InstanceNorm2d(channels)(x)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    (our_grad,) = torch.autograd.grad((ours * weights).sum(), x)
    (their_grad,) = torch.autograd.grad((theirs * weights).sum(), x)
    torch.testing.assert_close(our_grad, their_grad, atol=1e-5, rtol=1e-4)


def test_pyramid_step_does_not_count_padding():
    ramp = torch.arange(16.0).view(1, 1, 4, 4)
    assert halve()(ramp).tolist() == [[[[2.5, 4.0], [8.5, 10.0]]]]
