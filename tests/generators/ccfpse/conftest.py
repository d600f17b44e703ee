"""A small CC-FPSE whose norms are not those of an untrained one."""

from collections.abc import Callable

import pytest
import torch

from generators.ccfpse import CcfpseConfig, CcfpseGenerator
from generators.family import LabelSpace

SPACE = LabelSpace(5)


def plain_network(**settings: object) -> CcfpseGenerator:
    torch.manual_seed(0)
    config = CcfpseConfig(
        **{"base_channels": 3, "hidden_channels": 8, "pyramid_channels": 4, "upsampling": "normal", **settings}
    )
    generator = CcfpseGenerator(config, SPACE)
    for layer in generator.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            if layer.affine:
                layer.weight.data.uniform_(0.5, 2)
                layer.bias.data.normal_()
    return generator.eval()


@pytest.fixture(name="plain_network")
def given_plain_network() -> Callable[..., CcfpseGenerator]:
    return plain_network
