"""The feature-pyramid semantics-embedding discriminator: is it real, and does it match the labels, at three scales."""

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spade.verdict import Verdict
from generators.spectral_norm import spectral


class FeatureUnit(nn.Module):
    """Spectrally normalised convolution without bias, instance norm, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = spectral(
            nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.leaky_relu(F.instance_norm(self.conv(x_BCHW)), 0.2)


class FpseDiscriminator(nn.Module):
    """Looks at the image alone; labels enter only through the inner product with their embedding."""

    def __init__(self, condition_channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width, 8 * width]
        self.encode = nn.ModuleList(
            FeatureUnit(before, after, 3, stride=2) for before, after in itertools.pairwise(widths)
        )
        self.lateral = nn.ModuleList(FeatureUnit(before, 4 * width, 1) for before in widths[2:])
        self.heads = nn.ModuleList(FeatureUnit(4 * width, 2 * width, 3) for _ in range(3))
        self.realism = nn.Conv2d(2 * width, 1, 1)
        self.project = nn.Conv2d(2 * width, 2 * width, 1)
        self.embed = nn.Conv2d(condition_channels, 2 * width, 1)

    def forward(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Verdict:
        """Features at strides 4 to 32, each a group of its own; scores at strides 4, 8 and 16."""
        features = self._encode(image_BCHW)
        scores = []
        # Class fractions first, embedding after: average pooling and a 1 x 1 convolution commute.
        fractions = F.avg_pool2d(condition_BSHW, 2)
        for pyramid, head in zip(self._spread(features), self.heads, strict=True):
            fractions = F.avg_pool2d(fractions, 2)
            scores.append(self._score(head(pyramid), fractions))
        return Verdict([[feature] for feature in features], scores)

    def _encode(self, image_BCHW: Tensor) -> list[Tensor]:
        x, features = image_BCHW, []
        for encode in self.encode:
            x = encode(x)
            features.append(x)
        return features[1:]

    def _spread(self, features: list[Tensor]) -> list[Tensor]:
        """Top-down sums at strides 4, 8 and 16."""
        levels = [lateral(feature) for lateral, feature in zip(self.lateral, features, strict=True)]
        spread = [levels[-1]]
        for level in reversed(levels[:-1]):
            above = F.interpolate(spread[0], size=level.shape[-2:], mode="bilinear", align_corners=False)
            spread.insert(0, above + level)
        return spread[:3]

    def _score(self, head_BCHW: Tensor, fractions_BSHW: Tensor) -> Tensor:
        match = (self.embed(fractions_BSHW) * self.project(head_BCHW)).sum(dim=1, keepdim=True)
        score: Tensor = self.realism(head_BCHW) + match
        return score
