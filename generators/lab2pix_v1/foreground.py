"""Foreground enhancement: adversarial losses look harder at the small and the countable."""

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.family import LabelSpace


def background_table(space: LabelSpace, background_channels: tuple[int, ...] | None) -> Tensor:
    """True where a channel is background: those given, or all that are no things."""
    if background_channels is None:
        background_channels = tuple(set(range(space.num_channels)) - set(space.thing_channels))
    wrong = [channel for channel in background_channels if not 0 <= channel < space.num_channels]
    if wrong:
        raise ValueError(f"background channel {wrong[0]} is outside 0..{space.num_channels - 1}")
    table = torch.zeros(space.num_channels, dtype=torch.bool)
    table[list(background_channels)] = True
    return table


def foreground_mask(labels_BHW: Tensor, is_background_K: Tensor, rate: float) -> Tensor:
    """B x 1 x H x W with `rate` times the weight on the foreground and a mean of exactly 1 in every image."""
    background = is_background_K.to(labels_BHW.device)[labels_BHW.long()].unsqueeze(1)
    weight = torch.where(background, 1.0, rate)
    return weight / weight.mean(dim=(1, 2, 3), keepdim=True)


def pool_mask(mask_B1HW: Tensor, like_BCHW: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(mask_B1HW, (like_BCHW.shape[-2], like_BCHW.shape[-1]))
