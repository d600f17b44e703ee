"""The class-balanced cross-entropy and LabelMix of OASIS, by hand."""

import math

import pytest
import torch

from generators.oasis.label_mix import consistency, draw_mask, mix
from generators.oasis.segmentation_loss import class_weights, fake_loss, real_loss

LABELS = torch.tensor([[[0, 1, 1, 1], [1, 2, 2, 1]]])


def test_rare_classes_weigh_more():
    torch.testing.assert_close(class_weights(LABELS, 3, ()), torch.tensor([8 / 3, 8 / 15, 4 / 3]))


def test_void_classes_weigh_nothing_and_are_not_counted():
    torch.testing.assert_close(class_weights(LABELS, 3, (0,)), torch.tensor([0.0, 0.8, 2.0]))


def test_absent_classes_weigh_nothing():
    assert class_weights(LABELS, 5, (0,)).tolist() == pytest.approx([0.0, 0.8, 2.0, 0.0, 0.0])


def test_a_batch_of_void_alone_has_no_loss():
    void = torch.zeros(1, 2, 2, dtype=torch.long)
    assert real_loss(torch.randn(1, 4, 2, 2), void, class_weights(void, 3, (0,))).item() == 0


def test_weights_average_to_one_over_the_pixels():
    assert class_weights(LABELS, 3, (0,))[LABELS].mean().item() == pytest.approx(1)


def test_uniform_logits_lose_the_logarithm_of_their_number():
    uniform = torch.zeros(1, 4, 2, 4)
    assert real_loss(uniform, LABELS, class_weights(LABELS, 3, (0,))).item() == pytest.approx(math.log(4))
    assert fake_loss(uniform).item() == pytest.approx(math.log(4))


def test_real_pixels_are_told_as_their_class_plus_one_and_fake_ones_as_zero():
    sure = torch.full((1, 4, 2, 4), -100.0).scatter(1, (LABELS + 1).unsqueeze(1), 100.0)
    assert real_loss(sure, LABELS, torch.ones(3)).item() == pytest.approx(0)
    assert fake_loss(sure).item() == pytest.approx(200)


def test_one_coin_decides_for_a_class_everywhere():
    mask = draw_mask(LABELS, torch.tensor([1, 0, 1]))
    assert mask.tolist() == [[[[1, 0, 0, 0], [0, 1, 1, 0]]]]
    real, fake = torch.full((1, 3, 2, 4), 5.0), torch.full((1, 3, 2, 4), -5.0)
    assert mix(mask, real, fake)[0, 0].tolist() == [[5, -5, -5, -5], [-5, 5, 5, -5]]


def test_label_mix_is_zero_when_the_mixture_is_judged_as_its_parts():
    mask = draw_mask(LABELS, torch.tensor([0, 1, 0]))
    real, fake = torch.randn(1, 4, 2, 4), torch.randn(1, 4, 2, 4)
    assert consistency(mix(mask, real, fake), real, fake, mask).item() == 0
    off_by_two = mix(mask, real, fake) + 2
    assert consistency(off_by_two, real, fake, mask).item() == pytest.approx(4, rel=1e-5)
