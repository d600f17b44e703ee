"""How alike two images are for V1: features of VGG-19 where there are weights, its own backbone otherwise."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.perceptual import PerceptualLoss
from generators.vgg16 import Vgg16Pools

_TAP_WEIGHTS = (1 / 8, 1 / 4, 1 / 2, 1 / 16, 1 / 32)
_CELLS = (4, 4)
_CHROMA = 4.0
_LEAST_VARIANCE = 1e-4


class Likeness(Protocol):
    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, levels: int) -> Tensor:
        """Distance to a photograph of another scene."""
        ...

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        """Distance between two sizes of one image; gradients go to both."""
        ...


class VggLikeness:
    """The published terms: squared differences of VGG-19 features."""

    def __init__(self, vgg: PerceptualLoss) -> None:
        self._vgg = vgg

    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, levels: int) -> Tensor:
        with torch.no_grad():
            real = self._vgg.taps(photograph_BCHW)
        return _squared(self._vgg.taps(fake_BCHW), real, _TAP_WEIGHTS)

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        return _squared(self._vgg.taps(F.avg_pool2d(finer_BCHW, 2)), self._vgg.taps(coarser_BCHW), (1.0,) * 5)


class BackboneLikeness:
    """Without VGG-19: mean and spread, in each cell of a coarse grid, of colours and of what the backbone sees.

    The backbone is that of the discriminators. They normalise every channel of every image, and so do not see colours
    and contrast: these come from here. Between scales pixels are compared.
    """

    def __init__(self, backbone: Vgg16Pools) -> None:
        self._backbone = backbone

    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, levels: int) -> Tensor:
        with torch.no_grad():
            real = self._statistics(photograph_BCHW, levels)
        fake = self._statistics(fake_BCHW, levels)
        return _squared(fake, real, (1.0,) * len(real))

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        return F.mse_loss(F.avg_pool2d(finer_BCHW, 2), coarser_BCHW)

    def _statistics(self, image_BCHW: Tensor, levels: int) -> list[Tensor]:
        return [_cells(feature.float()) for feature in (_opponent(image_BCHW), *self._backbone(image_BCHW, levels))]


def _opponent(image_BCHW: Tensor) -> Tensor:
    """Grey, red against green, yellow against blue; the colours enlarged, for photographs differ least in them."""
    red, green, blue = image_BCHW.unbind(dim=1)
    chroma = _CHROMA * torch.stack([red - green, (red + green) / 2 - blue], dim=1)
    return torch.cat([image_BCHW.mean(dim=1, keepdim=True), chroma], dim=1)


def _cells(feature_BCHW: Tensor) -> Tensor:
    """Mean and spread of every channel in every cell."""
    mean = F.adaptive_avg_pool2d(feature_BCHW, _CELLS)
    variance = F.adaptive_avg_pool2d(feature_BCHW.square(), _CELLS) - mean.square()
    return torch.stack([mean, variance.clamp(min=_LEAST_VARIANCE).sqrt()])


def _squared(left: Sequence[Tensor], right: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    distances = (F.mse_loss(one.float(), other.float()) for one, other in zip(left, right, strict=True))
    return torch.stack([weight * distance for weight, distance in zip(weights, distances, strict=True)]).sum()
