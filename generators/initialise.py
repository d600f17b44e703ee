"""How the papers draw their first weights. Both rules reach spectrally normalised weights too."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from generators.spectral_norm import settle

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
NORMAL_SPREAD = 0.02
XAVIER_GAIN = 0.02


@torch.no_grad()
def init_normal(module: nn.Module, spread: float = NORMAL_SPREAD) -> None:
    """pix2pixHD's rule: convolution weights N(0, 0.02), batch-norm weights N(1, 0.02), all else untouched."""
    for layer in module.modules():
        if isinstance(layer, _CONVOLUTIONS):
            nn.init.normal_(_plain_weight(layer), 0.0, spread)
        _init_batch_norm(layer)
    settle(module)


@torch.no_grad()
def init_xavier(module: nn.Module, skip_spectral: bool = False, gain: float = XAVIER_GAIN) -> None:
    """SPADE's rule: Xavier-normal with gain 0.02, biases 0, batch-norm weights N(1, 0.02).

    With `skip_spectral` spectrally normalised weights keep torch's default, as in Lab2Pix-V2's released training.
    """
    for layer in module.modules():
        if isinstance(layer, (*_CONVOLUTIONS, nn.Linear)):
            if not (skip_spectral and parametrize.is_parametrized(layer, "weight")):
                nn.init.xavier_normal_(_plain_weight(layer), gain=gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        _init_batch_norm(layer)
    settle(module)


def _plain_weight(layer: nn.Module) -> Tensor:
    """The weight under a spectral norm, else the weight: writing to the normalised one would be lost."""
    if parametrize.is_parametrized(layer, "weight"):
        return layer.get_parameter("parametrizations.weight.original")
    return layer.get_parameter("weight")


def _init_batch_norm(layer: nn.Module) -> None:
    if isinstance(layer, nn.BatchNorm2d) and layer.affine:
        nn.init.normal_(layer.weight, 1.0, NORMAL_SPREAD)
        nn.init.zeros_(layer.bias)
