"""V2's hierarchical perceptual discriminators: labels and image together, beside a frozen backbone, on two scales."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.blocks import halve
from generators.lab2pix_v1.inception import Inception, NormedUnit


class ScaleVerdict(NamedTuple):
    """Intermediate maps, and a score map a level, all brought to the finest level's grid."""

    features: list[Tensor]
    scores: list[Tensor]


class ConditionalLevel(nn.Module):
    """One level: features joined with the backbone's, and a score of every place."""

    def __init__(self, in_channels: int, backbone_channels: int, channels: int) -> None:
        super().__init__()
        self.adapt = NormedUnit(backbone_channels, backbone_channels, 3, spectrally=True)
        self.join = NormedUnit(in_channels + backbone_channels, channels, 3, spectrally=True)
        self.score = nn.Sequential(
            NormedUnit(channels, channels, 3, spectrally=True), nn.Conv2d(channels, 1, 5, padding=2)
        )

    def forward(self, x_BCHW: Tensor, backbone_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        joined = self.join(torch.cat([x_BCHW, self.adapt(backbone_BCHW)], dim=1))
        return joined, self.score(joined)


class ConditionalDiscriminator(nn.Module):
    """One scale with `levels` levels at strides 8, 16, 32."""

    def __init__(self, condition_channels: int, levels: int, backbone_widths: Sequence[int], width: int = 64) -> None:
        super().__init__()
        self.first = nn.Conv2d(condition_channels + 3, width, 3, stride=2, padding=1)
        self.stem = nn.ModuleList(
            [NormedUnit(width, 2 * width, 3, 2, True), NormedUnit(2 * width, 4 * width, 3, 2, True)]
        )
        self.levels = nn.ModuleList(
            ConditionalLevel(8 * width if level else 4 * width, backbone_widths[level], 8 * width)
            for level in range(levels)
        )
        self.descend = nn.ModuleList(Inception(8 * width, True) for _ in range(levels - 1))

    def forward(self, pair_BCHW: Tensor, backbone_maps: Sequence[Tensor]) -> ScaleVerdict:
        features = [F.leaky_relu(self.first(pair_BCHW), 0.2)]
        for unit in self.stem:
            features.append(unit(features[-1]))
        scores = []
        x_BCHW = features[-1]
        for index, level in enumerate(self.levels):
            joined, score = level(x_BCHW, backbone_maps[index])
            features.append(joined)
            scores.append(F.interpolate(score, scale_factor=float(2**index), mode="nearest").float())
            if index < len(self.descend):
                x_BCHW = self.descend[index](joined)
                features.append(x_BCHW)
        return ScaleVerdict(features, scores)


class PerceptualDiscriminators(nn.Module):
    """Full and half resolution; the second has a level less. The backbone they share is handed in."""

    def __init__(self, condition_channels: int, levels: int, backbone_widths: Sequence[int], width: int = 64) -> None:
        super().__init__()
        self.levels_per_scale = (levels, max(1, levels - 1))
        self.scales = nn.ModuleList(
            ConditionalDiscriminator(condition_channels, depth, backbone_widths, width)
            for depth in self.levels_per_scale
        )
        self.halve = halve()

    def forward(self, condition_BSHW: Tensor, image_BCHW: Tensor, backbone: nn.Module) -> list[ScaleVerdict]:
        verdicts = []
        pair = torch.cat([condition_BSHW, image_BCHW], dim=1)
        for index, scale in enumerate(self.scales):
            pair = self.halve(pair) if index else pair
            verdicts.append(scale(pair, backbone(pair[:, -3:], self.levels_per_scale[index])))
        return verdicts
