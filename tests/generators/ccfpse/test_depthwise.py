"""Per-pixel depthwise convolution by hand, by unfolding, and by finite differences."""

import pytest
import torch
import torch.nn.functional as F

from generators.ccfpse.depthwise import per_pixel_depthwise

RAMP = torch.arange(9.0).view(1, 1, 3, 3)


def kernels_with(tap: int) -> torch.Tensor:
    kernels = torch.zeros(1, 9, 3, 3)
    kernels[:, tap] = 1
    return kernels


def varied_kernels() -> torch.Tensor:
    kernels = torch.zeros(1, 9, 3, 3)
    kernels[:, 5, 0], kernels[:, 3, 1], kernels[:, 7, 2] = 2, 1, -1
    return kernels


@pytest.mark.parametrize(
    ("kernels", "wanted"),
    [
        (kernels_with(4), [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
        (kernels_with(0), [[0, 0, 0], [0, 0, 1], [0, 3, 4]]),
        (torch.ones(1, 9, 3, 3), [[8, 15, 12], [21, 36, 27], [20, 33, 24]]),
        (varied_kernels(), [[2, 4, 0], [0, 3, 4], [0, 0, 0]]),
    ],
)
def test_every_pixel_uses_its_own_kernel(kernels, wanted):
    assert per_pixel_depthwise(RAMP, kernels)[0, 0].tolist() == wanted


def test_agrees_with_unfolding():
    x, kernels = torch.randn(2, 3, 5, 7), torch.randn(2, 27, 5, 7)
    unfolded = F.unfold(x, 3, padding=1).view(2, 3, 9, 5, 7)
    torch.testing.assert_close(per_pixel_depthwise(x, kernels), (unfolded * kernels.view(2, 3, 9, 5, 7)).sum(2))


def test_gradients_are_those_of_its_mathematics():
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(1, 18, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(per_pixel_depthwise, (x, kernels))


def test_kernels_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"per-pixel kernels") as refused:
        per_pixel_depthwise(RAMP, torch.zeros(1, 9, 2, 3))
    assert str(refused.value) == (
        "per-pixel kernels have shape (1, 9, 2, 3); expected (1, 9, 3, 3), nine per channel and pixel"
    )
