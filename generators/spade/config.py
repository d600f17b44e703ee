"""Hyper-parameters of SPADE / GauGAN."""

from typing import Literal

from pydantic import Field

from generators.segmenter_loss import TaughtConfig


class SpadeConfig(TaughtConfig):
    """The published Cityscapes network by default; 'normal' up-samples 5 times, 'more' 6, 'most' 7."""

    base_channels: int = Field(64, ge=2)
    hidden_channels: int = Field(128, ge=1)
    upsampling: Literal["normal", "more", "most"] = "more"
    instance_edges: bool = True
    use_vae: bool = False
    style_dim: int = Field(256, ge=1)
    start_grid: tuple[int, int] = (4, 8)  # rows, columns of the VAE start: 512x256 at stride 64
    encoder_channels: int = Field(64, ge=1)
    discriminator_channels: int = Field(64, ge=1)
    discriminator_scales: int = Field(2, ge=1)
    discriminator_downsamplings: int = Field(3, ge=1)
    feature_matching_weight: float = Field(10.0, ge=0)
    perceptual_weight: float = Field(10.0, ge=0)
    kl_weight: float = Field(0.05, ge=0)
    vgg_weights: str | None = None
    generator_rate: float = Field(1e-4, gt=0)
    discriminator_rate: float = Field(4e-4, gt=0)
