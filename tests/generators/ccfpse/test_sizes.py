"""CC-FPSE's networks against the outputs of the authors' own, and their sizes against the published ones."""

import pytest
import torch

from generators.ccfpse import CcfpseConfig, CcfpseGenerator, FpseDiscriminator
from generators.family import LabelSpace

FILE = "ccfpse_128x64_ngf8.npz"
SPACE = LabelSpace(35)
# The authors' checkpoints also hold batch-norm weights that no forward pass uses.
DEAD_PARAMETERS = 26_112


@pytest.mark.parametrize(("use_vae", "parameters"), [(False, 119_966_979), (True, 128_055_555)])
def test_generator_has_the_published_size_less_what_is_never_used(use_vae, parameters):
    with torch.device("meta"):
        generator = CcfpseGenerator(CcfpseConfig(use_vae=use_vae), SPACE)
    assert sum(weight.numel() for weight in generator.parameters()) == parameters - DEAD_PARAMETERS


def test_discriminator_has_the_published_size():
    with torch.device("meta"):
        discriminator = FpseDiscriminator(36)
    assert sum(weight.numel() for weight in discriminator.parameters()) == 5_175_873
