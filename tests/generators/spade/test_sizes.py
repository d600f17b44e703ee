"""SPADE's networks against the outputs of the authors' own, and their sizes against the published ones."""

import pytest
import torch

from generators.family import LabelSpace
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.spade import SpadeConfig, SpadeGenerator, StyleEncoder

FILE = "spade_256x128_ngf8.npz"
SPACE = LabelSpace(35)


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({}, 93_048_003),
        ({"upsampling": "most"}, 93_570_659),
        ({"use_vae": True}, 101_136_579),
        ({"use_vae": True, "start_grid": (8, 16)}, 126_400_707),
        ({"use_vae": True, "start_grid": (16, 32)}, 227_457_219),
    ],
)
def test_generator_has_the_published_size(settings, parameters):
    with torch.device("meta"):
        generator = SpadeGenerator(SpadeConfig(**settings), SPACE)
    assert sum(weight.numel() for weight in generator.parameters()) == parameters


def test_encoder_and_discriminator_have_the_published_sizes():
    with torch.device("meta"):
        encoder = StyleEncoder()
        discriminator = MultiScaleDiscriminator(39, 64, 2, 3, norm="spectral_instance")
    assert sum(weight.numel() for weight in encoder.parameters()) == 10_463_424
    assert sum(weight.numel() for weight in discriminator.parameters()) == 5_601_410
