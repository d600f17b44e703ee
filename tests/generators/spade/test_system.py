"""SPADE's schedule: the weights of its terms, its optimisers, its style encoder, what it says of missing weights."""

import pytest
import torch

from generators import FAMILIES
from generators.family import Batch, LabelSpace
from generators.spade import SpadeConfig, SpadeSystem
from generators.spade.start import CodeStart
from generators.spade.style_encoder import sample_style
from generators.spade.verdict import Verdict, feature_distance

SPACE = LabelSpace(3)
TINY = SpadeConfig(
    base_channels=2,
    hidden_channels=4,
    upsampling="normal",
    use_vae=True,
    start_grid=(1, 2),
    style_dim=5,
    encoder_channels=2,
    discriminator_channels=2,
)


def some_batch() -> Batch:
    labels = torch.randint(0, 3, (2, 32, 64))
    return Batch(labels, labels.int(), torch.rand(2, 3, 32, 64) * 2 - 1)


def test_total_is_hinge_plus_ten_times_matching_plus_a_twentieth_of_kl():
    turn = SpadeSystem(TINY, SPACE)(some_batch(), "generator")
    terms = {name: term.item() for name, term in turn.terms.items()}
    assert set(terms) == {"adversarial", "feature_matching", "kl"}
    wanted = terms["adversarial"] + 10 * terms["feature_matching"] + 0.05 * terms["kl"]
    assert turn.total.item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(("family", "weight"), [("spade", 10), ("ccfpse", 20), ("lab2pix_v2", 10)])
def test_feature_matching_has_the_weight_of_the_paper(family, weight):
    assert FAMILIES[family].config().feature_matching_weight == weight


def test_two_time_scales_and_the_trained_betas():
    players = SpadeSystem(TINY, SPACE).optimizers()
    assert [player.param_groups[0]["lr"] for player in players] == [1e-4, 4e-4]
    assert [player.param_groups[0]["betas"] for player in players] == [(0.0, 0.9), (0.0, 0.9)]


def test_generators_optimiser_holds_the_encoder():
    system = SpadeSystem(TINY, SPACE)
    assert system.encoder is not None
    held = {id(weight) for weight in system.optimizers().generator.param_groups[0]["params"]}
    assert {id(weight) for weight in system.encoder.parameters()} <= held


def test_style_of_an_image_is_the_mean_of_its_posterior():
    system = SpadeSystem(TINY, SPACE).eval()
    batch = some_batch()
    assert system.encoder is not None
    with torch.inference_mode():
        style = system.encode_style(batch.image_BCHW, batch.instances_BHW)
        assert torch.equal(style, system.encoder(batch.image_BCHW)[0])
        assert not torch.equal(style[0], style[1])


def test_style_spreads_by_the_standard_deviation():
    mean, log_variance = torch.tensor([[1.0, -1.0]]), torch.log(torch.tensor([[4.0, 9.0]]))
    assert sample_style(mean, log_variance, torch.tensor([[0.5, -1.0]])).tolist() == [[2.0, pytest.approx(-4.0)]]


def test_start_grid_stretches_to_other_sizes():
    start = CodeStart(4, 2, (1, 2), stride=32)
    code = torch.randn(1, 4)
    own = start(torch.zeros(1, 1, 32, 64), code)
    stretched = start(torch.zeros(1, 1, 64, 128), code)
    assert own.shape == (1, 2, 1, 2)
    assert stretched.shape == (1, 2, 2, 4)
    torch.testing.assert_close(stretched.mean(), own.mean())


def test_features_are_summed_within_a_group_and_averaged_over_groups():
    ones, zeros = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    fake = Verdict([[ones, 3 * ones], [2 * ones]], [])
    real = Verdict([[zeros, zeros], [zeros]], [])
    assert feature_distance(fake, real).item() == (1 + 3 + 2) / 2


def test_missing_vgg_weights_are_said_so():
    assert SpadeSystem(TINY, SPACE).fallbacks() == (
        "no VGG-19 weights (vgg_weights): perceptual loss left out, discriminator features alone match images; "
        "segmenter_weights of `synthgen evaluate judge` do more",
    )
    without = TINY.model_copy(update={"perceptual_weight": 0.0})
    assert SpadeSystem(without, SPACE).fallbacks() == ()
