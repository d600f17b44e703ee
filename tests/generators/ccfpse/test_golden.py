"""CC-FPSE's networks against the outputs of the authors' own, and their sizes against the published ones."""

import numpy as np
import pytest
import torch

from generators.ccfpse import CcfpseConfig, CcfpseGenerator, FpseDiscriminator
from generators.family import LabelSpace

FILE = "ccfpse_128x64_ngf8.npz"
SPACE = LabelSpace(35)
# The authors' checkpoints also hold batch-norm weights that no forward pass uses.
DEAD_PARAMETERS = 26_112


@pytest.mark.parametrize(
    ("array", "settings"), [("generator", {}), ("generator_vae", {"use_vae": True, "start_grid": (1, 2)})]
)
def test_generator_gives_the_authors_image(array, settings, golden_fill, golden_inputs, golden_arrays):
    wanted = golden_arrays(FILE)[array]
    inputs = golden_inputs(128, 64)
    generator = golden_fill(CcfpseGenerator(CcfpseConfig(base_channels=8, pyramid_channels=8, **settings), SPACE))
    condition = generator.condition(inputs.labels_BHW, inputs.instances_BHW)
    with torch.inference_mode():
        image = generator(condition, inputs.latent(256) if settings else None)
    np.testing.assert_allclose(image.numpy(), wanted, atol=1e-4)


def test_discriminator_gives_the_authors_features_and_scores(golden_fill, golden_inputs, golden_arrays):
    wanted = golden_arrays(FILE)
    inputs = golden_inputs(128, 64)
    generator = CcfpseGenerator(CcfpseConfig(base_channels=2, hidden_channels=2), SPACE)
    condition = generator.condition(inputs.labels_BHW, inputs.instances_BHW)
    with torch.inference_mode():
        verdict = golden_fill(FpseDiscriminator(36, 8))(condition, inputs.image_BCHW)
    assert [len(group) for group in verdict.features] == [1, 1, 1, 1]
    for index, (feature,) in enumerate(verdict.features):
        np.testing.assert_allclose(feature.numpy(), wanted[f"discriminator_fpse.0.{index}"], atol=1e-4)
    for index, score in enumerate(verdict.scores):
        np.testing.assert_allclose(score.numpy(), wanted[f"discriminator_fpse.1.{index}"], atol=1e-4)


@pytest.mark.parametrize(("use_vae", "parameters"), [(False, 119_966_979), (True, 128_055_555)])
def test_generator_has_the_published_size_less_what_is_never_used(use_vae, parameters):
    with torch.device("meta"):
        generator = CcfpseGenerator(CcfpseConfig(use_vae=use_vae), SPACE)
    assert sum(weight.numel() for weight in generator.parameters()) == parameters - DEAD_PARAMETERS


def test_discriminator_has_the_published_size():
    with torch.device("meta"):
        discriminator = FpseDiscriminator(36)
    assert sum(weight.numel() for weight in discriminator.parameters()) == 5_175_873
