"""Hyper-parameters of Lab2Pix-V2."""

from typing import Literal

from pydantic import Field

from generators.spade.config import SpadeConfig


class Lab2pixV2Config(SpadeConfig):
    """The published settings. Background channels: given, or every channel that is no thing."""

    condition: Literal["labels", "sketch"] = "labels"
    global_channels: int = Field(64, ge=1)  # of the global encoder; the published networks never scale it
    background_channels: tuple[int, ...] | None = None
    foreground_rate: float = Field(5.0, ge=1)
    sharpness_weight: float = Field(1.0, ge=0)
    discriminator_levels: int = Field(3, ge=1, le=3)
    backbone_channels: int = Field(64, ge=1)
    vgg16_weights: str | None = None
    nested_average: bool = True  # False: every discriminator scale counts the same
    skip_spectral_init: bool = True  # the released training leaves spectral layers at the framework's default
