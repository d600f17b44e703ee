"""The VGG-19 perceptual loss: a frozen, supplied network; never part of a checkpoint."""

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.pretrained import load_features

# VGG-19 up to conv5_1: widths of the convolutions, with 0 for a pooling step.
_LAYOUT = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512)
_TAPS = (1, 6, 11, 20, 29)  # relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 in the usual sequential list
_TAP_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def vgg19_features() -> nn.Sequential:
    """VGG-19's convolutions up to relu5_1, numbered as in the usual list so that published weights fit."""
    layers: list[nn.Module] = []
    channels = 3
    for width in _LAYOUT:
        if width == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers)


class PerceptualLoss:
    """Weighted mean |phi_i(fake) - phi_i(real)| over five taps of VGG-19.

    Not a Module on purpose: its weights must not enter the state dict of a system. As in the authors' training, images
    go in as they are, in [-1, 1], without ImageNet normalisation.
    """

    def __init__(self, vgg: nn.Sequential) -> None:
        vgg = vgg.eval().requires_grad_(False)
        starts = (0, *(tap + 1 for tap in _TAPS))
        self._stages = [vgg[start:end] for start, end in pairwise(starts)]

    def taps(self, image_BCHW: Tensor) -> list[Tensor]:
        """The features the loss compares, finest first."""
        features = []
        for stage in self._stages:
            image_BCHW = stage.to(image_BCHW.device)(image_BCHW)
            features.append(image_BCHW)
        return features

    def __call__(self, fake_BCHW: Tensor, real_BCHW: Tensor) -> Tensor:
        total = fake_BCHW.new_zeros((), dtype=torch.float32)
        for stage, weight in zip(self._stages, _TAP_WEIGHTS, strict=True):
            stage.to(fake_BCHW.device)
            fake_BCHW = stage(fake_BCHW)
            with torch.no_grad():
                real_BCHW = stage(real_BCHW)
            total = total + weight * F.l1_loss(fake_BCHW.float(), real_BCHW.float())
        return total


def load_perceptual_loss(location: Path | str) -> PerceptualLoss:
    """The loss with weights from a published VGG-19 state dict (`features.N.weight`), by path or URL."""
    vgg = vgg19_features()
    load_features(vgg, location, "VGG-19")
    return PerceptualLoss(vgg)
