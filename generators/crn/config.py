"""Hyper-parameters of the cascaded refinement network."""

from pydantic import Field

from generators.family import FamilyConfig


class CrnConfig(FamilyConfig):
    """`modules` 7 is the published network for 512x256, 8 for 1024x512, 9 for 2048x1024.

    With more than one candidate image the loss takes the best one of each class: a family of answers from one network.
    """

    base_channels: int = Field(1024, ge=32)
    modules: int = Field(7, ge=2, le=9)
    candidates: int = Field(1, ge=1)
    instance_edges: bool = False
    vgg_weights: str | None = None
    discriminator_channels: int = Field(64, ge=1)
    discriminator_scales: int = Field(2, ge=1)
    generator_rate: float = Field(1e-4, gt=0)
    discriminator_rate: float = Field(1e-4, gt=0)
