"""SPADE's networks against the outputs of the authors' own, and their sizes against the published ones."""

import numpy as np
import pytest
import torch

from generators.family import LabelSpace
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.spade import SpadeConfig, SpadeGenerator, StyleEncoder

FILE = "spade_256x128_ngf8.npz"
SPACE = LabelSpace(35)


@pytest.mark.parametrize(
    ("array", "settings"),
    [
        ("generator", {}),
        ("generator_most", {"upsampling": "most"}),
        ("generator_vae", {"use_vae": True, "start_grid": (2, 4)}),
    ],
)
def test_generator_gives_the_authors_image(array, settings, golden_fill, golden_inputs, golden_arrays):
    wanted = golden_arrays(FILE)[array]
    inputs = golden_inputs(256, 128)
    generator = golden_fill(SpadeGenerator(SpadeConfig(base_channels=8, **settings), SPACE))
    condition = generator.condition(inputs.labels_BHW, inputs.instances_BHW)
    with torch.inference_mode():
        image = generator(condition, inputs.latent(256) if settings.get("use_vae") else None)
    np.testing.assert_allclose(image.numpy(), wanted, atol=1e-4)


def test_style_encoder_gives_the_authors_mean_and_variance(golden_fill, golden_inputs, golden_arrays):
    wanted = golden_arrays(FILE)
    with torch.inference_mode():
        mean, log_variance = golden_fill(StyleEncoder(8, 256))(golden_inputs(256, 128).image_BCHW)
    np.testing.assert_allclose(mean.numpy(), wanted["style_encoder.0"], atol=1e-4)
    np.testing.assert_allclose(log_variance.numpy(), wanted["style_encoder.1"], atol=1e-4)


def test_discriminator_gives_the_authors_maps(golden_fill, golden_inputs, golden_arrays):
    wanted = golden_arrays(FILE)
    inputs = golden_inputs(256, 128)
    condition = SpadeGenerator(SpadeConfig(base_channels=2), SPACE).condition(inputs.labels_BHW, inputs.instances_BHW)
    discriminator = golden_fill(MultiScaleDiscriminator(39, 8, 2, 3, norm="spectral_instance"))
    with torch.inference_mode():
        scales = discriminator(torch.cat([condition, inputs.image_BCHW], dim=1))
    for scale, maps in enumerate(scales):
        for layer, found in enumerate(maps):
            np.testing.assert_allclose(found.numpy(), wanted[f"discriminator_2scale.{scale}.{layer}"], atol=1e-4)


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
