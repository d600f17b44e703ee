"""Hyper-parameters of pix2pix."""

from pydantic import Field

from generators.family import FamilyConfig


class Pix2PixConfig(FamilyConfig):
    """The published settings; `levels` halvings make image sides multiples of 2**levels (256 for 8)."""

    base_channels: int = Field(64, ge=1)
    levels: int = Field(8, ge=3)
    dropout: float = Field(0.5, ge=0, lt=1)
    instance_edges: bool = True
    discriminator_channels: int = Field(64, ge=1)
    l1_weight: float = Field(100.0, ge=0)
    rate: float = Field(2e-4, gt=0)
    # The authors leave dropout and batch statistics on at test time; off, an image depends on its own labels alone.
    stochastic_rendering: bool = False
