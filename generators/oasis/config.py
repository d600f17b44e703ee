"""Hyper-parameters of OASIS."""

from pydantic import Field

from generators.family import FamilyConfig
from generators.initialise import XAVIER_GAIN


class OasisConfig(FamilyConfig):
    """The published Cityscapes settings; other data sets: LabelMix 10, generator rate 1e-4.

    What is evaluated and rendered with is the moving average of the generator (0.999 a step on Cityscapes, 0.9999 on
    larger sets) with batch-norm statistics estimated anew: that belongs to the training loop, which keeps averages.
    """

    base_channels: int = Field(64, ge=1)
    hidden_channels: int = Field(128, ge=1)
    noise_dim: int = Field(64, ge=1)
    discriminator_channels: int = Field(64, ge=1)
    generator_gain: float = Field(XAVIER_GAIN, gt=0)
    discriminator_gain: float = Field(XAVIER_GAIN, gt=0)
    label_mix_weight: float = Field(5.0, ge=0)
    generator_rate: float = Field(4e-4, gt=0)
    discriminator_rate: float = Field(4e-4, gt=0)
