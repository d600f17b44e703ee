"""The conditional-convolution block: kernels and gates predicted from the layout, pixel by pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.ccfpse.depthwise import TAPS, per_pixel_depthwise
from generators.precision import widened
from generators.spade.modulation import Spade
from generators.spectral_norm import spectral


class Predictor(nn.Module):
    """Two convolutions from the steering map to the weights of one layer."""

    def __init__(self, steering_channels: int, hidden: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(steering_channels, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, out_channels, 3, padding=1)

    def forward(self, steering_BQHW: Tensor) -> Tensor:
        predicted: Tensor = self.second(F.relu(self.first(steering_BQHW)))
        return predicted


class ConditionalConv(nn.Module):
    """Affine norm, per-pixel depthwise, 1 x 1 convolution, gate, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, steering_channels: int, hidden: int) -> None:
        super().__init__()
        self.kernels = Predictor(steering_channels, hidden, TAPS * in_channels)
        self.gates = Predictor(steering_channels, hidden, out_channels)
        self.norm = nn.BatchNorm2d(in_channels)
        self.mix = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
        # Raw kernels, neither softmax nor normalisation: the paper's choice.
        filtered = per_pixel_depthwise(widened(self.norm(x_BCHW)), self.kernels(steering_BQHW))
        return F.leaky_relu(widened(self.mix(filtered)) * torch.sigmoid(self.gates(steering_BQHW)), 0.2)


class ConditionalBlock(nn.Module):
    """Two conditional convolutions beside a SPADE-modulated shortcut."""

    def __init__(self, in_channels: int, out_channels: int, steering_channels: int, hidden: int = 128) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.conv_0 = ConditionalConv(in_channels, middle, steering_channels, hidden)
        self.conv_1 = ConditionalConv(middle, out_channels, steering_channels, hidden)
        self.norm_s: Spade | None = None
        self.conv_s: nn.Module | None = None
        if in_channels != out_channels:
            self.norm_s = Spade(in_channels, steering_channels, hidden)
            self.conv_s = spectral(nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
        main = self.conv_1(self.conv_0(x_BCHW, steering_BQHW), steering_BQHW)
        return self.shortcut(x_BCHW, steering_BQHW) + main

    def shortcut(self, x_BCHW: Tensor, steering_BQHW: Tensor) -> Tensor:
        if self.norm_s is None or self.conv_s is None:
            return x_BCHW
        shortcut: Tensor = self.conv_s(self.norm_s(x_BCHW, steering_BQHW))
        return shortcut
