"""The 70 x 70 PatchGAN of pix2pix: labels and image together, one logit a patch."""

import torch
from torch import Tensor, nn


def _unit(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 4, stride=stride, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2))


class SinglePatchDiscriminator(nn.Module):
    """Receptive field 70 x 70."""

    def __init__(self, condition_channels: int, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(condition_channels + 3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            _unit(width, 2 * width, 2),
            _unit(2 * width, 4 * width, 2),
            _unit(4 * width, 8 * width, 1),
            nn.Conv2d(8 * width, 1, 4, padding=1),
        )

    def forward(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.layers(torch.cat([condition_BSHW, image_BCHW], dim=1))
        return logits.float()
