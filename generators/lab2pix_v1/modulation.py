"""V1's multiplicative modulation and its two blocks."""

import torch.nn.functional as F
from torch import Tensor, nn

from generators.precision import widened


class LabelModulation(nn.Module):
    """IN(x) * scale(labels) + shift(labels). No '1 +' here: the scale starts near zero, as published."""

    def __init__(self, channels: int, condition_channels: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(condition_channels, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x_BCHW: Tensor, condition_BKHW: Tensor) -> Tensor:
        hidden = F.relu(self.shared(condition_BKHW))
        modulated: Tensor = widened(F.instance_norm(x_BCHW)) * self.scale(hidden) + self.shift(hidden)
        return modulated


class ModulatedConv(nn.Module):
    """Modulation, ReLU, 3 x 3 convolution."""

    def __init__(self, in_channels: int, out_channels: int, condition_channels: int, hidden: int) -> None:
        super().__init__()
        self.modulate = LabelModulation(in_channels, condition_channels, hidden)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x_BCHW: Tensor, condition_BKHW: Tensor) -> Tensor:
        out: Tensor = self.conv(F.relu(self.modulate(x_BCHW, condition_BKHW)))
        return out


class ModulatedBlock(nn.Module):
    """Two modulated convolutions; a shortcut only where the width changes, none at all elsewhere, as published."""

    def __init__(self, in_channels: int, out_channels: int, condition_channels: int, hidden: int) -> None:
        super().__init__()
        self.conv_0 = ModulatedConv(in_channels, out_channels, condition_channels, hidden)
        self.conv_1 = ModulatedConv(out_channels, out_channels, condition_channels, hidden)
        self.shortcut: ModulatedConv | None = None
        if in_channels != out_channels:
            self.shortcut = ModulatedConv(in_channels, out_channels, condition_channels, hidden)

    def forward(self, x_BCHW: Tensor, condition_BKHW: Tensor) -> Tensor:
        main: Tensor = self.conv_1(self.conv_0(x_BCHW, condition_BKHW), condition_BKHW)
        return main if self.shortcut is None else main + self.shortcut(x_BCHW, condition_BKHW)
