"""V2's hinge loss by hand."""

import pytest
import torch

from generators.initialise import init_xavier
from generators.lab2pix_v2.adversarial import accumulate, decimate, generator_levels, judged_levels
from generators.spectral_norm import spectral
from generators.vgg16 import Vgg16Pools

ONES = [[torch.ones(())] * 3, [torch.ones(())] * 2]


def test_released_accumulation_counts_the_scales_a_third_and_a_half():
    assert accumulate(ONES, nested=True).item() == pytest.approx(0.83333, abs=1e-5)
    first_alone = [ONES[0], [torch.zeros(())] * 2]
    assert accumulate(first_alone, nested=True).item() == pytest.approx(1 / 3)


def test_even_accumulation_counts_every_scale_the_same():
    assert accumulate(ONES, nested=False).item() == pytest.approx(1)


def test_hinge_by_hand_under_a_flat_mask():
    score = torch.tensor([0.5, -0.5, 2.0, -2.0]).view(1, 1, 2, 2)
    mask = torch.ones(1, 1, 16, 16)
    assert judged_levels([score], mask, real=True)[0].item() == 1.25
    assert judged_levels([score], mask, real=False)[0].item() == 1.25
    assert generator_levels([score], mask)[0].item() == 0


def test_each_level_is_judged_on_its_own_grid_under_the_pooled_mask():
    level = torch.tensor([[1.0, 3.0]]).view(1, 1, 1, 2)
    brought_up = torch.nn.functional.interpolate(level, scale_factor=2)
    mask = torch.cat([torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), 1.5)], dim=3)
    losses = generator_levels([torch.zeros(1, 1, 2, 4), brought_up], mask)
    assert losses[1].item() == pytest.approx(-(1.0 * 0.5 + 3.0 * 1.5) / 2)


def test_decimation_keeps_every_second_pixel_and_doubles_it():
    ramp = torch.arange(16.0).view(1, 1, 4, 4)
    assert decimate(ramp)[0, 0].tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [8, 8, 10, 10], [8, 8, 10, 10]]


def test_spectral_layers_keep_the_frameworks_initialisation_where_asked():
    torch.manual_seed(0)
    plain, kept = spectral(torch.nn.Conv2d(8, 8, 3)), spectral(torch.nn.Conv2d(8, 8, 3))
    init_xavier(plain)
    init_xavier(kept, skip_spectral=True)
    spread = [layer.parametrizations.weight.original.std().item() for layer in (plain, kept)]
    assert spread[1] > 20 * spread[0]


def test_backbone_never_trains_but_lets_gradients_through():
    backbone = Vgg16Pools(None, width=2, renormalise=True)
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    maps = backbone(image, 3)
    assert [tuple(level.shape) for level in maps] == [(1, 8, 4, 4), (1, 16, 2, 2), (1, 16, 1, 1)]
    torch.autograd.backward(maps[2].sum())
    assert image.grad is not None
    assert not any(weight.requires_grad for weight in backbone.parameters())


def test_published_weights_need_the_published_width():
    with pytest.raises(ValueError, match=r"backbone_channels") as refused:
        Vgg16Pools("vgg16.pth", width=8)
    assert str(refused.value) == "published VGG-16 weights need backbone_channels 64, not 8"


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    with pytest.raises(ValueError, match=r"features.0.bias") as refused:
        Vgg16Pools(tmp_path / "vgg.pth")
    assert str(refused.value) == (
        f"{tmp_path}/vgg.pth: no 'features.0.bias'; expected the state dict of an ImageNet VGG-16 without batch norm"
    )
