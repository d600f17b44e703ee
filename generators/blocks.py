"""Units that several families share. IN is instance norm without affine parameters and without running statistics."""

import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.2
# From here on group norm takes 5 ms for what batch norm does in 0.2 (1024 channels at 32x16, channels last, CPU).
_MANY_CHANNELS = 256


class InstanceNorm(nn.Module):
    """Instance norm, computed as group norm with a group a channel: equal, and it keeps channels-last memory."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.groups = channels
        self.eps = eps

    def forward(self, x_BCHW: Tensor) -> Tensor:
        channels = x_BCHW.shape[1]
        if len(x_BCHW) == 1 and self.groups == channels >= _MANY_CHANNELS:
            # For one image batch statistics are its own.
            return F.batch_norm(x_BCHW, None, None, training=True, eps=self.eps)
        # CUDA autocast would return float32.
        return F.group_norm(x_BCHW, self.groups, eps=self.eps).to(x_BCHW.dtype)


def normalise_over_layer(module: nn.Module) -> None:
    """Make every instance norm inside one over all channels together: it keeps what the whole image has in common.

    Instance norm subtracts each channel's mean, and with it the light of the hour; only contrasts get through.
    """
    for part in module.modules():
        if isinstance(part, InstanceNorm):
            part.groups = 1


def instance_norm(channels: int) -> nn.Module:
    return InstanceNorm(channels)


def reflect_conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """RP(k // 2) C(k, 1, 0): size-preserving convolution over a reflected border."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect")


def stem(in_channels: int, out_channels: int) -> nn.Sequential:
    """RP3 C(7,1,0) IN ReLU."""
    return nn.Sequential(reflect_conv(in_channels, out_channels, 7), instance_norm(out_channels), nn.ReLU(inplace=True))


def down(in_channels: int, out_channels: int) -> nn.Sequential:
    """C(3,2,1) IN ReLU: half the size."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
    return nn.Sequential(conv, instance_norm(out_channels), nn.ReLU(inplace=True))


def up(in_channels: int, out_channels: int, resize: bool = False) -> nn.Sequential:
    """CT(3,2,1,op1) IN ReLU: exactly twice the size. Resizing before a C(3,1,1) instead leaves no checkerboard."""
    if resize:
        conv: nn.Module = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1))
    else:
        conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(conv, instance_norm(out_channels), nn.ReLU(inplace=True))


class FullPrecisionTanh(nn.Tanh):
    """tanh in float32, whatever autocast made of the convolution before it: half precision bands the highlights."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(x_BCHW.float())


def tanh_head(in_channels: int, out_channels: int = 3) -> nn.Sequential:
    """RP3 C(7,1,0) tanh."""
    return nn.Sequential(reflect_conv(in_channels, out_channels, 7), FullPrecisionTanh())


def halve() -> nn.AvgPool2d:
    """The pyramid step of pix2pixHD: average over 3 x 3 at stride 2, padding not counted in the mean."""
    return nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)


class ResidualBlock(nn.Module):
    """x + RP1 C(3,1,0) IN ReLU RP1 C(3,1,0) IN; nothing after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            reflect_conv(channels, channels, 3),
            instance_norm(channels),
            nn.ReLU(inplace=True),
            reflect_conv(channels, channels, 3),
            instance_norm(channels),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out: Tensor = x_BCHW + self.residual(x_BCHW)
        return out
