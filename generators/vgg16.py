"""The frozen VGG-16 that Lab2Pix's discriminators look through, or a frozen random network of its shape."""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from generators.pretrained import load_features

# Multiples of the base width a block; every block ends in a max-pooling.
_BLOCKS = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8), (8, 8, 8))
_PUBLISHED_WIDTH = 64
# Where the blocks after pool 3, 4 and 5 end in the usual sequential list of layers.
_ENDS = (0, 17, 24, 31)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Vgg16Pools(nn.Module):
    """Maps after pools 3, 4 and 5 (strides 8, 16, 32). Its weights never train; gradients flow through to the image.

    Without published weights it stays as drawn: random features still tell textures apart, and the released Lab2Pix-V1
    trained with just that.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path | str | None, width: int = _PUBLISHED_WIDTH, renormalise: bool = False) -> None:
        super().__init__()
        self.layers = _layers(width)
        self.widths = (4 * width, 8 * width, 8 * width)
        self.renormalise = renormalise
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        if weights is None:
            _draw(self.layers)
        elif width != _PUBLISHED_WIDTH:
            raise ValueError(f"published VGG-16 weights need backbone_channels {_PUBLISHED_WIDTH}, not {width}")
        else:
            load_features(self.layers, weights, "VGG-16")
        self.requires_grad_(False)

    def forward(self, image_BCHW: Tensor, levels: int) -> list[Tensor]:
        """The first `levels` maps of an image in [-1, 1]."""
        x_BCHW = ((image_BCHW + 1) / 2 - self.mean) / self.std if self.renormalise else image_BCHW
        maps = []
        for start, end in list(pairwise(_ENDS))[:levels]:
            x_BCHW = self.layers[start:end](x_BCHW)
            maps.append(x_BCHW)
        return maps


def _layers(width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for block in _BLOCKS:
        for factor in block:
            layers += [nn.Conv2d(before, factor * width, 3, padding=1), nn.ReLU()]
            before = factor * width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def _draw(layers: nn.Sequential) -> None:
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            # Keeps the size of activations through the thirteen layers; torch's default would let them vanish.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias) if layer.bias is not None else None
