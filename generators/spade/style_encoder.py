"""The VAE encoder of SPADE, CC-FPSE and Lab2Pix-V2: a photograph to the mean and log-variance of its style."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.spectral_norm import spectral

INPUT_SIDE_PX = 256


class StyleEncoder(nn.Module):
    """Six strided spectrally normalised convolutions with instance norm, then two linear heads.

    Six whatever the training size: the input is always resized to 256 x 256, so the heads always fit.
    """

    def __init__(self, base_channels: int = 64, style_dim: int = 256) -> None:
        super().__init__()
        widths = [3, *(base_channels * factor for factor in (1, 2, 4, 8, 8, 8))]
        self.convs = nn.ModuleList(
            spectral(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            for before, after in itertools.pairwise(widths)
        )
        features = widths[-1] * (INPUT_SIDE_PX // 2**6) ** 2
        self.mean = nn.Linear(features, style_dim)
        self.log_variance = nn.Linear(features, style_dim)

    def forward(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        x = image_BCHW
        if x.shape[-2:] != (INPUT_SIDE_PX, INPUT_SIDE_PX):
            x = F.interpolate(x, size=(INPUT_SIDE_PX, INPUT_SIDE_PX), mode="bilinear", align_corners=False)
        for conv in self.convs:
            x = F.leaky_relu(F.instance_norm(conv(x)), 0.2)
        flat = x.flatten(1)
        return self.mean(flat).float(), self.log_variance(flat).float()


def sample_style(mean_BD: Tensor, log_variance_BD: Tensor, noise_BD: Tensor) -> Tensor:
    """z = mean + noise * standard deviation (the noise is an argument: whoever trains draws it)."""
    return mean_BD + noise_BD * torch.exp(0.5 * log_variance_BD)
