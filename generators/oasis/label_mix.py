"""LabelMix: real and fake mixed class by class; the discriminator must judge the mixture as it judges its parts."""

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_mask(labels_BHW: Tensor, coins_K: Tensor) -> Tensor:
    """B x 1 x H x W: 1.0 where the class of the pixel drew real. One coin a class for the whole batch.

    (The released code re-draws class 0 together with class 1, a slip of overwriting in place.)
    """
    return coins_K.float()[labels_BHW.long()].unsqueeze(1)


def toss_coins(num_channels: int, device: torch.device) -> Tensor:
    return torch.randint(0, 2, (num_channels,), device=device)


def mix(mask_B1HW: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    return mask_B1HW * real + (1 - mask_B1HW) * fake


def consistency(logits_mixed: Tensor, logits_real: Tensor, logits_fake: Tensor, mask_B1HW: Tensor) -> Tensor:
    """Mean squared error on logits; gradients go into all three."""
    return F.mse_loss(logits_mixed, mix(mask_B1HW, logits_real, logits_fake))
