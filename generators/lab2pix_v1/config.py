"""Hyper-parameters of Lab2Pix-V1."""

from typing import Literal

from pydantic import Field

from generators.family import FamilyConfig
from generators.initialise import NORMAL_SPREAD


class Lab2pixV1Config(FamilyConfig):
    """The published settings; the start grid of 2 x 4 (rows x columns) makes 512x256 at the stride of 128."""

    condition: Literal["labels", "sketch"] = "labels"
    base_channels: int = Field(64, ge=1)
    hidden_channels: int = Field(128, ge=1)
    trunk_blocks: int = Field(4, ge=1)  # each halves the start grid once more: sides are multiples of 8 * 2**blocks
    style_dim: int = Field(128, ge=1)
    start_grid: tuple[int, int] = (2, 4)
    background_channels: tuple[int, ...] | None = None
    foreground_rate: float = Field(2.0, ge=1)
    sharpness_weight: float = Field(1.0, ge=0)
    discriminator_channels: int = Field(64, ge=1)
    discriminator_norm: Literal["instance", "layer"] = "instance"
    backbone_channels: int = Field(64, ge=1)
    segmenter_channels: int = Field(32, ge=4)
    segmenter_side_px: int = Field(256, ge=64, multiple_of=32)
    initial_spread: float = Field(NORMAL_SPREAD, gt=0)
    label_weight: float = Field(10.0, ge=0)
    perceptual_weight: float = Field(1.0, ge=0)
    consistency_weight: float = Field(5e-6, ge=0)
    vgg16_weights: str | None = None
    vgg_weights: str | None = None
    rate: float = Field(2e-4, gt=0)
    discriminator_rate: float | None = Field(None, gt=0)
