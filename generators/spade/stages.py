"""The order of blocks and up-samplings that SPADE, CC-FPSE and Lab2Pix-V2 share."""

from typing import Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor

Upsampling = Literal["normal", "more", "most"]


class Stage(NamedTuple):
    """One block; `upsample` doubles the grid before it."""

    in_channels: int
    out_channels: int
    upsample: bool


def plan_stages(base_channels: int, upsampling: Upsampling) -> tuple[Stage, ...]:
    """head, middle 0, middle 1, up 0..3 and, for 'most', up 4."""
    width = base_channels
    stages = [
        Stage(16 * width, 16 * width, False),
        Stage(16 * width, 16 * width, True),
        Stage(16 * width, 16 * width, upsampling != "normal"),
        Stage(16 * width, 8 * width, True),
        Stage(8 * width, 4 * width, True),
        Stage(4 * width, 2 * width, True),
        Stage(2 * width, width, True),
    ]
    if upsampling == "most":
        stages.append(Stage(width, width // 2, True))
    return tuple(stages)


def total_stride(stages: tuple[Stage, ...]) -> int:
    """Image pixels per cell of the start grid."""
    return int(2 ** sum(stage.upsample for stage in stages))


def double(x_BCHW: Tensor) -> Tensor:
    return F.interpolate(x_BCHW, scale_factor=2.0, mode="nearest")


def resize_labels(condition_BSHW: Tensor, like_BCHW: Tensor) -> Tensor:
    """The conditioning at the size of an activation; nearest keeps the top-left pixel of each cell."""
    return F.interpolate(condition_BSHW, size=like_BCHW.shape[-2:], mode="nearest")
