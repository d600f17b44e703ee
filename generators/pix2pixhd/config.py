"""Hyper-parameters of pix2pixHD; the defaults are the paper's at 1024x512."""

from typing import Literal

from pydantic import Field

from generators.family import LabelSpace
from generators.segmenter_loss import TaughtConfig


class Pix2PixHDConfig(TaughtConfig):
    """`base_channels` is the width of the global generator, always; every enhancer has half of the one below."""

    base_channels: int = Field(64, ge=1)
    num_downsamplings: int = Field(4, ge=1)
    num_blocks: int = Field(9, ge=0)
    num_enhancers: int = Field(0, ge=0)
    num_enhancer_blocks: int = Field(3, ge=0)

    condition: Literal["labels", "sketch"] = "labels"
    instance_edges: bool = True
    skips: bool = (
        False  # add features on the way down to those on the way up; not in the paper: edges are learnt sooner
    )
    upsampling: Literal["transposed", "resize"] = "transposed"  # resize: nearest, then a convolution; no checkerboard
    norm: Literal["instance", "layer"] = "instance"  # layer lets the brightness of the whole image through

    feature_channels: int = Field(3, ge=0)  # 0: no feature encoder, no styles
    encoder_channels: int = Field(16, ge=1)
    encoder_downsamplings: int = Field(4, ge=1)

    discriminator_channels: int = Field(64, ge=1)
    discriminator_scales: int = Field(2, ge=1)
    discriminator_downsamplings: int = Field(3, ge=1)

    feature_matching_weight: float = Field(10.0, ge=0)
    perceptual_weight: float = Field(10.0, ge=0)
    reconstruction_weight: float = Field(0.0, ge=0)  # L1 on pixels; not in the paper: it carries short trainings
    vgg_weights: str | None = None  # path of a VGG-19 state dict; None trains on discriminator features alone
    pool_size: int = Field(0, ge=0)
    generator_rate: float = Field(2e-4, gt=0)
    discriminator_rate: float = Field(2e-4, gt=0)

    def condition_channels(self, space: LabelSpace) -> int:
        """Channels of the condition: one-hot labels or one sketch, and the instance edges."""
        labels = 1 if self.condition == "sketch" else space.num_channels
        return labels + int(self.instance_edges)
