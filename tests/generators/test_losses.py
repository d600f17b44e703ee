"""Every shared loss against a value computed by hand."""

import math

import pytest
import torch

from generators import losses

SCORES = torch.tensor([0.5, -0.5, 2.0, -2.0])


def test_least_squares_losses_of_the_worked_example():
    assert losses.lsgan_real([SCORES]).item() == pytest.approx(3.125)
    assert losses.lsgan_fake([SCORES]).item() == pytest.approx(2.125)
    assert losses.lsgan_generator([SCORES]).item() == pytest.approx(3.125)


def test_least_squares_losses_are_summed_over_scales():
    assert losses.lsgan_real([SCORES, torch.ones(7)]).item() == pytest.approx(3.125)
    assert losses.lsgan_fake([SCORES, torch.ones(7)]).item() == pytest.approx(3.125)


def test_hinge_losses_of_the_worked_example():
    assert losses.hinge_real([SCORES]).item() == pytest.approx(1.25)
    assert losses.hinge_fake([SCORES]).item() == pytest.approx(1.25)
    assert losses.hinge_generator([SCORES]).item() == pytest.approx(0.0)


def test_hinge_losses_are_averaged_over_scales():
    # The second scale: real 0, fake 4, generator -3.
    scales = [SCORES, torch.full((3,), 3.0)]
    assert losses.hinge_real(scales).item() == pytest.approx(0.625)
    assert losses.hinge_fake(scales).item() == pytest.approx(2.625)
    assert losses.hinge_generator(scales).item() == pytest.approx(-1.5)


def test_feature_matching_leaves_scores_out_and_reaches_only_the_fake():
    fake = [
        [torch.zeros(4, requires_grad=True), torch.ones(2), torch.tensor(9.0)],
        [torch.zeros(1), torch.ones(1), torch.tensor(9.0)],
    ]
    real = [
        [torch.full((4,), 2.0, requires_grad=True), torch.zeros(2), torch.tensor(0.0)],
        [torch.ones(1), torch.ones(1), torch.tensor(0.0)],
    ]
    loss = losses.feature_matching(fake, real)
    assert loss.item() == pytest.approx(((2 + 1) + (1 + 0)) / 2)
    loss.backward()
    assert fake[0][0].grad is not None
    assert real[0][0].grad is None


def test_kl_divergence_of_the_worked_example():
    mean, log_variance = torch.tensor([[0.5, -1.0, 0.0]]), torch.tensor([[0.0, 0.2, -0.3]])
    by_hand = -0.5 * sum(1 + v - m * m - math.exp(v) for m, v in zip((0.5, -1.0, 0.0), (0.0, 0.2, -0.3), strict=True))
    assert losses.kl_divergence(mean, log_variance).item() == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.656110, abs=1e-6)


def test_losses_of_half_precision_scores_are_computed_in_single():
    assert losses.lsgan_fake([SCORES.bfloat16()]).dtype == torch.float32
    assert losses.hinge_real([SCORES.bfloat16()]).dtype == torch.float32
