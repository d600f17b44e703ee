"""pix2pix: published sizes, and the loss by hand."""

import math

import pytest
import torch

from generators.family import Batch, LabelSpace
from generators.pix2pix import Pix2PixConfig, Pix2PixSystem, SinglePatchDiscriminator, UNetGenerator

TINY = Pix2PixConfig(base_channels=2, levels=4, discriminator_channels=2)


@pytest.mark.parametrize(("channels", "parameters"), [(3, 54_419_459), (36, 54_453_251)])
def test_generator_has_the_published_size(channels, parameters):
    with torch.device("meta"):
        generator = UNetGenerator(Pix2PixConfig(instance_edges=False), LabelSpace(channels))
    assert sum(weight.numel() for weight in generator.parameters()) == parameters
    assert generator.stride == 256


@pytest.mark.parametrize(("channels", "parameters"), [(3, 2_769_601), (36, 2_803_393)])
def test_discriminator_has_the_published_size(channels, parameters):
    with torch.device("meta"):
        discriminator = SinglePatchDiscriminator(channels)
    assert sum(weight.numel() for weight in discriminator.parameters()) == parameters


def test_patches_are_seventy_pixels_wide():
    discriminator = SinglePatchDiscriminator(1, 1).eval()
    image = torch.zeros(1, 3, 140, 140, requires_grad=True)
    logits = discriminator(torch.zeros(1, 1, 140, 140), image)
    for weight in discriminator.parameters():
        torch.nn.init.constant_(weight, 0.1)
    logits = discriminator(torch.zeros(1, 1, 140, 140), image)
    logits[0, 0, 8, 8].backward()
    assert image.grad is not None
    reached = image.grad[0].abs().sum(dim=0)
    assert (reached.sum(dim=0) > 0).sum() == 70


def test_undecided_discriminator_gives_the_terms_of_the_paper():
    system = Pix2PixSystem(TINY, LabelSpace(3))
    torch.nn.init.zeros_(system.discriminator.layers[-1].weight)
    torch.nn.init.zeros_(system.discriminator.layers[-1].bias)
    labels = torch.randint(0, 3, (2, 32, 32))
    batch = Batch(labels, labels.int(), torch.rand(2, 3, 32, 32))
    turn = system(batch, "generator")
    l1 = (turn.fake_BCHW - batch.image_BCHW).abs().mean()
    assert turn.total.item() == pytest.approx(math.log(2) + 100 * l1.item(), rel=1e-5)
    assert system(batch, "discriminator", turn.fake_BCHW).total.item() == pytest.approx(math.log(2), rel=1e-5)


@pytest.mark.parametrize("stochastic", [False, True])
def test_rendering_is_repeatable_unless_the_authors_way_is_asked_for(stochastic):
    config = TINY.model_copy(update={"stochastic_rendering": stochastic})
    generator = UNetGenerator(config, LabelSpace(3)).eval()
    labels = torch.randint(0, 3, (1, 32, 32))
    condition = generator.condition(labels, labels.int())
    with torch.inference_mode():
        assert torch.equal(generator(condition, None), generator(condition, None)) != stochastic
