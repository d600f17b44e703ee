"""V1's hierarchical perceptual discriminators: image only, their own features beside a frozen backbone's."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.lab2pix_v1.inception import Inception, Norm, NormedUnit, normalise


class PerceptualLevel(nn.Module):
    """One level: features joined with the backbone's, and a score of every place."""

    def __init__(self, in_channels: int, backbone_channels: int, channels: int, norm: Norm) -> None:
        super().__init__()
        self.norm: Norm = norm
        self.join = NormedUnit(in_channels + backbone_channels, channels, 3, norm=norm)
        self.score = nn.Conv2d(channels, 1, 5, padding=2)

    def forward(self, x_BCHW: Tensor, backbone_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """The joined features, and logits of being real."""
        backbone = F.leaky_relu(normalise(backbone_BCHW, self.norm), 0.2)
        joined = self.join(torch.cat([x_BCHW, backbone], dim=1))
        # Normalised a second time before the score: the released network does.
        return joined, self.score(F.leaky_relu(normalise(joined, self.norm), 0.2))


class PerceptualDiscriminator(nn.Module):
    """`levels` scores at strides 8, 16, 32; the backbone's maps are handed in, for all discriminators share it."""

    def __init__(self, levels: int, backbone_widths: Sequence[int], width: int = 64, norm: Norm = "instance") -> None:
        super().__init__()
        self.num_levels = levels
        self.stem = nn.ModuleList(
            NormedUnit(before, after, 3, 2, norm=norm)
            for before, after in ((3, width), (width, 2 * width), (2 * width, 4 * width))
        )
        self.levels = nn.ModuleList(
            PerceptualLevel(8 * width if level else 4 * width, backbone_widths[level], 8 * width, norm)
            for level in range(levels)
        )
        self.descend = nn.ModuleList(Inception(8 * width, norm=norm) for _ in range(levels - 1))

    def forward(self, image_BCHW: Tensor, backbone_maps: Sequence[Tensor]) -> list[Tensor]:
        """Logits a level, finest first; a sigmoid away from the published scores."""
        x_BCHW = image_BCHW
        for unit in self.stem:
            x_BCHW = unit(x_BCHW)
        scores = []
        for index, level in enumerate(self.levels):
            joined, score = level(x_BCHW, backbone_maps[index])
            scores.append(score.float())
            if index < len(self.descend):
                x_BCHW = self.descend[index](joined)
        return scores
