"""OASIS's networks against the outputs of the authors' own, and their sizes against the published ones."""

import itertools

import pytest
import torch
from torch import nn

from generators.family import LabelSpace
from generators.oasis import OasisConfig, OasisGenerator, SegmentingDiscriminator
from generators.oasis.discriminator import DownBlock, UpBlock

FILE = "oasis_128x64_ngf8.npz"
SPACE = LabelSpace(35)


def test_networks_have_the_published_sizes():
    with torch.device("meta"):
        generator, discriminator = OasisGenerator(OasisConfig(), SPACE), SegmentingDiscriminator(35)
    assert sum(weight.numel() for weight in generator.parameters()) == 71_107_523
    assert sum(weight.numel() for weight in discriminator.parameters()) == 22_251_364


def test_noise_painted_by_region_changes_that_region_most():
    torch.manual_seed(0)
    generator = OasisGenerator(OasisConfig(base_channels=2, hidden_channels=4, noise_dim=2), LabelSpace(3)).eval()
    labels = torch.zeros(1, 32, 256, dtype=torch.long)
    condition = generator.condition(labels, labels.int())
    noise = torch.zeros(1, 2, 32, 256)
    resampled = noise.clone()
    resampled[..., 128:] = 1
    with torch.inference_mode():
        difference = (generator(condition, noise) - generator(condition, resampled)).abs().mean(dim=(0, 1, 2))
    assert difference[-32:].mean() > 3 * difference[:32].mean()


@pytest.mark.parametrize(("width", "height"), [(480, 352), (160, 96), (96, 33)])
def test_discriminator_judges_every_pixel_of_sides_that_do_not_halve_evenly(width: int, height: int):
    discriminator = SegmentingDiscriminator(3, 2)
    image = torch.rand(1, 3, height, width, requires_grad=True)
    logits = discriminator(image)
    logits.abs().sum().backward()
    assert logits.shape == (1, 4, height, width)
    assert image.grad is not None
    assert image.grad.abs().sum(dim=1).min() > 0


def test_discriminator_halves_odd_sides_over_the_pixels_there_are():
    """One way down and up without convolutions: every pixel becomes the mean of its cell, at its place."""
    image = torch.arange(15.0).reshape(1, 1, 3, 5)
    discriminator = SegmentingDiscriminator(1, 1)
    discriminator.down, discriminator.up = nn.ModuleList([_Halving()]), nn.ModuleList([_Doubling()])
    discriminator.classify = nn.Identity()
    expected = torch.empty(3, 5)
    for row, column in itertools.product(range(3), range(5)):
        top, left = row - row % 2, column - column % 2
        expected[row, column] = image[0, 0, top : top + 2, left : left + 2].mean()
    torch.testing.assert_close(discriminator(image)[0, 0], expected)


class _Halving(DownBlock):
    """Its shortcut alone."""

    def __init__(self) -> None:
        super().__init__(1, 1, first=True)
        _hands_nothing_on(self.conv_1)


class _Doubling(UpBlock):
    """Its shortcut alone."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        _hands_nothing_on(self.conv_1)


def _hands_nothing_on(block: nn.Module) -> None:
    block.forward = lambda x: torch.zeros_like(x)
