"""CC-FPSE: layout-conditional convolution kernels and a feature-pyramid discriminator."""

from generators.ccfpse.config import CcfpseConfig
from generators.ccfpse.discriminator import FpseDiscriminator
from generators.ccfpse.generator import CcfpseGenerator
from generators.ccfpse.published import PUBLISHED
from generators.ccfpse.system import CcfpseSystem
from generators.family import Family, LabelSpace
from generators.spade.style_encoder import StyleEncoder
from generators.spade.system import build_encoder

__all__ = ["CCFPSE", "CcfpseConfig", "CcfpseGenerator", "CcfpseSystem", "FpseDiscriminator"]


def _encoder(config: CcfpseConfig, space: LabelSpace) -> StyleEncoder | None:
    return build_encoder(config)


CCFPSE = Family(
    name="ccfpse",
    paper="Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis, NeurIPS 2019",
    config=CcfpseConfig,
    build_generator=CcfpseGenerator,
    build_encoder=_encoder,
    build_system=CcfpseSystem,
    published=PUBLISHED,
)
