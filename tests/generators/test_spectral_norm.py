"""Spectral norm on a matrix whose singular values are known, and baked for inference."""

import torch
from torch import nn

from generators.initialise import init_xavier
from generators.spectral_norm import bake, settle, spectral, spectral_layers


def test_settled_weight_is_divided_by_its_largest_singular_value():
    layer = spectral(nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        layer.parametrizations.weight.original.copy_(torch.diag(torch.tensor([3.0, 1.0])))
    settle(layer)
    torch.testing.assert_close(layer.eval().weight, torch.diag(torch.tensor([1.0, 1 / 3])))


def test_baked_layer_gives_the_same_bits_and_a_plain_weight():
    torch.manual_seed(0)
    network = nn.Sequential(spectral(nn.Conv2d(3, 4, 3)), nn.ReLU(), spectral(nn.Conv2d(4, 2, 1))).eval()
    x = torch.randn(1, 3, 8, 8)
    expected = network(x)
    assert torch.equal(bake(network)(x), expected)
    assert spectral_layers(network) == []
    assert set(network.state_dict()) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_custom_initialisation_reaches_weights_under_a_spectral_norm():
    torch.manual_seed(0)
    layer = spectral(nn.Conv2d(64, 64, 3))
    init_xavier(layer)
    spread = layer.parametrizations.weight.original.std().item()
    assert abs(spread / (0.02 * (2 / (2 * 64 * 9)) ** 0.5) - 1) < 0.05
    largest = torch.linalg.matrix_norm(layer.eval().weight.flatten(1), 2).item()
    assert abs(largest - 1) < 0.02
