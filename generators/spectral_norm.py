"""Spectral normalisation with torch's parametrisation, and how to bake it into plain weights for inference."""

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

M = TypeVar("M", bound=nn.Module)

# After the weights were drawn anew, u and v belong to other weights: so many steps bring sigma within about 1 %.
_SETTLING_ITERATIONS = 30


def spectral(module: M) -> M:
    """The layer with its weight divided by its largest singular value; one power iteration a training forward."""
    parametrizations.spectral_norm(module, n_power_iterations=1, eps=1e-12)
    return module


@torch.no_grad()
def settle(module: nn.Module, iterations: int = _SETTLING_ITERATIONS) -> None:
    """Power iterations on every spectral layer: after custom initialisation, or eval mode divides by nonsense."""
    for layer in spectral_layers(module):
        training = layer.training
        layer.train()
        for _ in range(iterations):
            _ = layer.weight
        layer.train(training)


@torch.no_grad()
def bake(module: M) -> M:
    """Replace every parametrised weight by its value (bit-identical in eval mode), in place."""
    for layer in spectral_layers(module):
        layer.eval()
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        weight = nn.Parameter(weight.detach().clone())
        del layer.parametrizations
        # Not torch's own removal: it edits the layer's class, which copies of the layer share.
        layer.__class__ = type(layer).__mro__[1]
        layer.register_parameter("weight", weight)
    return module


def spectral_layers(module: nn.Module) -> list[nn.Module]:
    """The layers of the module whose weight is spectrally normalised."""
    return [layer for layer in module.modules() if parametrize.is_parametrized(layer, "weight")]
