"""Hyper-parameters of CC-FPSE."""

from pydantic import Field

from generators.spade.config import SpadeConfig


class CcfpseConfig(SpadeConfig):
    """SPADE's skeleton and schedule with a heavier feature-matching term."""

    pyramid_channels: int = Field(64, ge=1)
    feature_matching_weight: float = Field(20.0, ge=0)
