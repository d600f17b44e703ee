"""SPADE / GauGAN: semantic image synthesis with spatially-adaptive normalisation."""

from generators.family import Family, LabelSpace
from generators.spade.config import SpadeConfig
from generators.spade.generator import SpadeGenerator
from generators.spade.published import PUBLISHED
from generators.spade.style_encoder import StyleEncoder
from generators.spade.system import SpadeSystem, build_encoder

__all__ = ["SPADE", "SpadeConfig", "SpadeGenerator", "SpadeSystem", "StyleEncoder"]


def _encoder(config: SpadeConfig, space: LabelSpace) -> StyleEncoder | None:
    return build_encoder(config)


SPADE = Family(
    name="spade",
    paper="Semantic Image Synthesis with Spatially-Adaptive Normalization, CVPR 2019",
    config=SpadeConfig,
    build_generator=SpadeGenerator,
    build_encoder=_encoder,
    build_system=SpadeSystem,
    published=PUBLISHED,
)
