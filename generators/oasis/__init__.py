"""OASIS: adversarial supervision alone, from a discriminator that segments; 3D noise gives the diversity."""

from generators.family import Family, LabelSpace
from generators.oasis.config import OasisConfig
from generators.oasis.discriminator import SegmentingDiscriminator
from generators.oasis.generator import OasisGenerator
from generators.oasis.published import PUBLISHED
from generators.oasis.system import OasisSystem

__all__ = ["OASIS", "OasisConfig", "OasisGenerator", "OasisSystem", "SegmentingDiscriminator"]


def _no_encoder(config: OasisConfig, space: LabelSpace) -> None:
    return None


OASIS = Family(
    name="oasis",
    paper="You Only Need Adversarial Supervision for Semantic Image Synthesis, ICLR 2021",
    config=OasisConfig,
    build_generator=OasisGenerator,
    build_encoder=_no_encoder,
    build_system=OasisSystem,
    published=PUBLISHED,
)
