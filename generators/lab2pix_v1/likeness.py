"""How alike two images are for V1: VGG-19 features where there are weights, its own discriminators' otherwise."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.lab2pix_v1.discriminator import PerceptualDiscriminator
from generators.perceptual import PerceptualLoss

_TAP_WEIGHTS = (1 / 8, 1 / 4, 1 / 2, 1 / 16, 1 / 32)


class Likeness(Protocol):
    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, judge: PerceptualDiscriminator) -> Tensor:
        """Distance to a photograph of another scene."""
        ...

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        """Distance between two sizes of one image; gradients go to both."""
        ...


class VggLikeness:
    """The published terms: squared differences of VGG-19 features."""

    def __init__(self, vgg: PerceptualLoss) -> None:
        self._vgg = vgg

    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, judge: PerceptualDiscriminator) -> Tensor:
        with torch.no_grad():
            real = self._vgg.taps(photograph_BCHW)
        return _squared(self._vgg.taps(fake_BCHW), real, _TAP_WEIGHTS)

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        return _squared(self._vgg.taps(F.avg_pool2d(finer_BCHW, 2)), self._vgg.taps(coarser_BCHW), (1.0,) * 5)


class TrainedLikeness:
    """Without VGG-19: mean and spread of the discriminator's trained features, and pixels between scales.

    The photograph shows another scene, so only what does not depend on the place is compared.
    """

    def to_photograph(self, fake_BCHW: Tensor, photograph_BCHW: Tensor, judge: PerceptualDiscriminator) -> Tensor:
        with torch.no_grad():
            real = [_statistics(feature) for feature in judge.features(photograph_BCHW)]
        fake = [_statistics(feature) for feature in judge.features(fake_BCHW)]
        return _squared(fake, real, (1.0,) * len(real))

    def between_scales(self, finer_BCHW: Tensor, coarser_BCHW: Tensor) -> Tensor:
        return F.mse_loss(F.avg_pool2d(finer_BCHW, 2), coarser_BCHW)


def _statistics(feature_BCHW: Tensor) -> Tensor:
    flat = feature_BCHW.float().flatten(2)
    return torch.stack([flat.mean(dim=2), flat.std(dim=2)])


def _squared(left: Sequence[Tensor], right: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    distances = (F.mse_loss(one.float(), other.float()) for one, other in zip(left, right, strict=True))
    return torch.stack([weight * distance for weight, distance in zip(weights, distances, strict=True)]).sum()
