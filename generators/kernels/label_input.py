"""Label maps as the first convolution takes them: one-hot beside further maps, written once and bordered.

Channels are filled up with zeros to what matrix units read in one go; a convolution's weight is filled up likewise.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import one_hot
from generators.kernels.bare_conv import whole_groups
from generators.kernels.instance_norm import with_border
from generators.kernels.support import usable
from generators.kernels.tiles import launched_on


def widen(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution for input channels that are filled up with zeros, in place."""
    missing = whole_groups(conv.in_channels) - conv.in_channels
    conv.weight = nn.Parameter(F.pad(conv.weight.detach(), (0, 0, 0, 0, 0, missing)), requires_grad=False)
    conv.in_channels += missing
    return conv


def encode(
    labels_BHW: Tensor,
    others_BEHW: Tensor,
    num_channels: int,
    dtype: torch.dtype,
    border: int = 0,
    halved: bool = False,
) -> Tensor:
    """One-hot labels, then the other maps, then zeros; at half the size averaged as pix2pixHD does.

    An average is over 3 x 3 pixels at every second one, of those that lie in the image.
    """
    if usable(labels_BHW):
        from generators.kernels import triton_label_input

        channels = whole_groups(num_channels + others_BEHW.shape[1])
        with launched_on(labels_BHW):
            return triton_label_input.encode(labels_BHW, others_BEHW, num_channels, channels, dtype, border, halved)
    x_BCHW = torch.cat([one_hot(labels_BHW, num_channels), others_BEHW.float()], dim=1)
    if halved:
        x_BCHW = F.avg_pool2d(x_BCHW, 3, stride=2, padding=1, count_include_pad=False)
    x_BCHW = F.pad(x_BCHW, (0, 0, 0, 0, 0, whole_groups(x_BCHW.shape[1]) - x_BCHW.shape[1]))
    return with_border(x_BCHW, border).to(dtype).contiguous(memory_format=torch.channels_last)
