"""OASIS's networks against the outputs of the authors' own, and their sizes against the published ones."""

import pytest
import torch

from generators.family import LabelSpace
from generators.oasis import OasisConfig, OasisGenerator, SegmentingDiscriminator

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


def test_discriminator_refuses_sides_it_cannot_halve():
    with pytest.raises(ValueError, match=r"multiples of 64") as refused:
        SegmentingDiscriminator(3, 2)(torch.zeros(1, 3, 96, 128))
    assert str(refused.value) == (
        "images of 128x96 cannot be trained on: the discriminator of OASIS halves six times, "
        "so both sides must be multiples of 64"
    )
