"""The parts of Lab2Pix-V1 by hand: pooling of ids, co-attention, masks, adversarial terms, likeness."""

import math

import pytest
import torch
import torch.nn.functional as F

from generators.family import LabelSpace
from generators.lab2pix_v1.adversarial import judge_levels, level_weights, soften
from generators.lab2pix_v1.co_attention import CoAttention
from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.lab2pix_v1.discriminator import PerceptualDiscriminator
from generators.lab2pix_v1.foreground import background_table, foreground_mask, pool_mask
from generators.lab2pix_v1.label_pooling import label_pyramid, pool_labels, sketch_pyramid
from generators.lab2pix_v1.likeness import BackboneLikeness, VggLikeness
from generators.lab2pix_v1.modulation import LabelModulation, ModulatedBlock
from generators.lab2pix_v1.segmenter import Segmenter
from generators.lab2pix_v1.system import Lab2pixV1System
from generators.perceptual import PerceptualLoss, vgg19_features
from generators.vgg16 import Vgg16Pools

SMALL = {
    "base_channels": 4,
    "hidden_channels": 4,
    "trunk_blocks": 1,
    "style_dim": 4,
    "discriminator_channels": 4,
    "backbone_channels": 4,
    "segmenter_channels": 4,
}


def test_the_highest_id_of_a_cell_wins():
    ids = torch.tensor([[[[7.0, 7, 11, 23], [7, 26, 11, 11]]]])
    assert pool_labels(ids, 2).tolist() == [[[[26, 23]]]]
    assert label_pyramid(ids, 27, 2)[1].argmax(dim=1).tolist() == [[[26, 23]]]


def test_sketches_are_averaged():
    assert sketch_pyramid(torch.tensor([[[[0.0, 1], [1, 1]]]]), 2)[1].item() == 0.75


def test_modulation_has_no_one_plus():
    layer = LabelModulation(1, 1, hidden=1)
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(layer.scale.bias, 0.5)
    torch.nn.init.constant_(layer.shift.bias, 2.0)
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    wanted = torch.tensor([[[[-1.341635, -0.447212], [0.447212, 1.341635]]]]) * 0.5 + 2
    torch.testing.assert_close(layer(x, torch.zeros(1, 1, 2, 2)), wanted, atol=1e-5, rtol=0)


def test_a_block_that_keeps_its_width_has_no_shortcut():
    assert ModulatedBlock(4, 4, 2, 3).shortcut is None
    assert ModulatedBlock(4, 2, 2, 3).shortcut is not None


@pytest.mark.parametrize(("bias", "kept"), [(100.0, "low"), (-100.0, "high")])
def test_co_attention_keeps_the_lower_level_where_its_mask_is_one(bias, kept):
    attention = CoAttention(4, 2, 3)
    torch.nn.init.zeros_(attention.mask.weight)
    torch.nn.init.constant_(attention.mask.bias, bias)
    low, high, labels = torch.randn(1, 4, 4, 4), torch.randn(1, 2, 8, 8), torch.randn(1, 3, 8, 8)
    lifted = F.relu(attention.lift(F.interpolate(low, scale_factor=2)))
    torch.testing.assert_close(attention(low, high, labels), lifted if kept == "low" else high)


@pytest.mark.parametrize(("rate", "background", "foreground"), [(5.0, 0.5, 2.5), (2.0, 0.8, 1.6)])
def test_mask_lifts_the_foreground_and_keeps_a_mean_of_one(rate, background, foreground):
    labels = torch.tensor([[[0, 0, 1, 0], [0, 1, 0, 0]]])
    mask = foreground_mask(labels, torch.tensor([True, False]), rate)
    torch.testing.assert_close(mask[0, 0], torch.where(labels[0] == 1, foreground, background))
    assert mask.mean().item() == pytest.approx(1)
    assert pool_mask(mask, torch.empty(1, 1, 1, 2)).flatten().tolist() == pytest.approx(
        [(3 * background + foreground) / 4] * 2
    )


def test_an_image_without_foreground_weighs_one_everywhere():
    assert foreground_mask(torch.zeros(1, 2, 2, dtype=torch.long), torch.tensor([True]), 5.0).unique().tolist() == [1]


def test_background_is_what_is_no_thing_unless_said_otherwise():
    space = LabelSpace(4, thing_channels=(2,))
    assert background_table(space, None).tolist() == [True, True, False, True]
    assert background_table(space, (0,)).tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match=r"background channel") as refused:
        background_table(space, (1, 4))
    assert str(refused.value) == "background channel 4 is outside 0..3"


def test_levels_count_half_of_the_one_above():
    assert level_weights(3) == [pytest.approx(4 / 7), pytest.approx(2 / 7), pytest.approx(1 / 7)]


def test_undecided_scores_lose_the_logarithm_of_two():
    scores = [torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 2)]
    mask = foreground_mask(torch.eye(8, dtype=torch.long)[None], torch.tensor([True, False]), 2.0)
    assert judge_levels(scores, real=True).item() == pytest.approx(math.log(2))
    assert judge_levels(scores, real=False, mask_B1HW=mask).item() == pytest.approx(math.log(2))


def test_one_score_by_hand():
    assert judge_levels([torch.full((1, 1, 1, 1), 2.0)], real=True).item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert judge_levels([torch.full((1, 1, 1, 1), 2.0)], real=False).item() == pytest.approx(math.log(1 + math.exp(2)))


def test_soft_photographs_lose_what_lies_within_two_pixels():
    image = torch.tensor([[[[0.0, 2, 5, 5], [4, 2, 5, 5]]]])
    assert soften(image).tolist() == [[[[2, 2, 5, 5], [2, 2, 5, 5]]]]


def test_without_vgg_likeness_sees_contrast_and_colour_but_no_shift_within_a_cell():
    torch.manual_seed(0)
    likeness = BackboneLikeness(Vgg16Pools(None, 4))
    image = torch.rand(1, 3, 64, 64).round() * 2 - 1
    tint = torch.tensor([0.5, -0.5, 0.0]).view(1, 3, 1, 1)

    def distance(other: torch.Tensor) -> float:
        return likeness.to_photograph(other, image, 1).item()

    assert distance(image) == 0
    assert distance(image * 0.5) > 3 * distance(image.roll(8, dims=3))
    assert distance(image + 0.5 * tint) > 3 * distance(image.roll(8, dims=3))
    assert likeness.between_scales(torch.ones(1, 3, 8, 8), torch.zeros(1, 3, 4, 4)).item() == 1


def test_without_vgg_likeness_reaches_images_that_are_all_of_one_colour():
    likeness = BackboneLikeness(Vgg16Pools(None, 4))
    grey = torch.zeros(1, 3, 32, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(likeness.to_photograph(grey, torch.rand(1, 3, 32, 32), 1), grey)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize(("norm", "told_apart"), [("instance", False), ("layer", True)])
def test_only_discriminators_that_normalise_a_whole_layer_see_how_colourful_an_image_is(norm, told_apart):
    torch.manual_seed(0)
    judge = PerceptualDiscriminator(1, (4, 4, 4), width=4, norm=norm)
    grey, backbone_maps = torch.rand(1, 3, 32, 32), [torch.zeros(1, 4, 4, 4)]
    green = grey * torch.tensor([1.0, 3.0, 1.0]).view(1, 3, 1, 1)
    with torch.no_grad():
        # Each filter looks at one colour, as an instance norm takes the strength of each filter away.
        judge.stem[0].conv.weight *= F.one_hot(torch.arange(4) % 3, 3).view(4, 3, 1, 1)
        (of_grey,), (of_green,) = judge(grey, backbone_maps), judge(green, backbone_maps)
    assert torch.allclose(of_grey, of_green, atol=1e-2) != told_apart


@pytest.mark.parametrize("side", [64, 128, 256])
def test_segmenters_read_images_at_the_side_they_are_told(side):
    assert Segmenter(3, width=4, side_px=side)(torch.rand(2, 3, 32, 64)).shape == (2, 3, side, side)


def test_players_learn_at_the_published_rate_unless_the_discriminator_has_its_own():
    def rates(**settings: float) -> list[float]:
        system = Lab2pixV1System(Lab2pixV1Config(**SMALL, **settings), LabelSpace(3))
        return [optimizer.param_groups[0]["lr"] for optimizer in system.optimizers()]

    assert rates() == [2e-4, 2e-4]
    assert rates(rate=1e-3) == [1e-3, 1e-3]
    assert rates(rate=1e-3, discriminator_rate=1e-4) == [1e-3, 1e-4]


def test_first_weights_are_as_wide_as_told():
    system = Lab2pixV1System(Lab2pixV1Config(**SMALL, initial_spread=0.3), LabelSpace(3))
    assert system.generator.trunk[0].conv_0.conv.weight.std().item() == pytest.approx(0.3, rel=0.1)


def test_vgg_likeness_is_the_weighted_square_of_feature_differences():
    vgg = vgg19_features()
    likeness = VggLikeness(PerceptualLoss(vgg))
    fake, real = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    wanted, x, y = 0.0, fake, real
    weights = {1: 1 / 8, 6: 1 / 4, 11: 1 / 2, 20: 1 / 16, 29: 1 / 32}
    with torch.no_grad():
        for index, layer in enumerate(vgg):
            x, y = layer(x), layer(y)
            wanted += weights.get(index, 0) * (x - y).square().mean().item()
        assert likeness.to_photograph(fake, real, 1).item() == pytest.approx(wanted, rel=1e-4)


def test_vgg_likeness_between_scales_is_unweighted_and_reaches_both():
    vgg = vgg19_features()
    likeness = VggLikeness(PerceptualLoss(vgg))
    finer = torch.rand(1, 3, 64, 64, requires_grad=True)
    coarser = torch.rand(1, 3, 32, 32, requires_grad=True)
    loss = likeness.between_scales(finer, coarser)
    wanted = 0.0
    with torch.no_grad():
        x, y = F.avg_pool2d(finer, 2), coarser
        for index, layer in enumerate(vgg):
            x, y = layer(x), layer(y)
            wanted += (x - y).square().mean().item() if index in (1, 6, 11, 20, 29) else 0
    assert loss.item() == pytest.approx(wanted, rel=1e-4)
    loss.backward()
    assert finer.grad is not None
    assert coarser.grad is not None
