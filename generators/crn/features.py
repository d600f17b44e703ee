"""What CRN compares images by: VGG-19 features, or without its weights those of a discriminator trained alongside."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from generators.pretrained import load_features
from generators.vgg16 import IMAGENET_MEAN, IMAGENET_STD

# Convolutions of VGG-19 up to conv5_2; 0 is a pooling, averaged here as the authors do.
_LAYOUT = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512)
# The ReLU after conv1_2, 2_2, 3_2, 4_2 and 5_2 in the usual sequential list, and what brings each term to size 1.
_TAPS = {3: 2.6, 8: 4.8, 13: 3.7, 22: 5.6, 31: 0.15}


class Compared(NamedTuple):
    """One map to compare and the divisor of its error."""

    feature_BCHW: Tensor
    divisor: float


class Vgg19Features:
    """Not a Module on purpose: supplied weights never enter a checkpoint."""

    def __init__(self, path: Path | str) -> None:
        layers = vgg19_with_average_pooling()
        load_features(layers, path, "VGG-19")
        self._layers = layers.eval().requires_grad_(False)
        self._mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        self._std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)

    def __call__(self, image_BCHW: Tensor) -> list[Compared]:
        """The image itself and five taps. Normalised as the ImageNet weights that torch users have expect it."""
        device = image_BCHW.device
        x_BCHW = ((image_BCHW + 1) / 2 - self._mean.to(device)) / self._std.to(device)
        compared = [Compared(x_BCHW, 1.0)]
        for index, layer in enumerate(self._layers.to(device)):
            x_BCHW = layer(x_BCHW)
            if index in _TAPS:
                compared.append(Compared(x_BCHW, _TAPS[index]))
        return compared


def vgg19_with_average_pooling() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for width in _LAYOUT:
        if width == 0:
            layers.append(nn.AvgPool2d(2))
            continue
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
        before = width
    return nn.Sequential(*layers)
