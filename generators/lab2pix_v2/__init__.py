"""Lab2Pix-V2: SPADE with global label features, judged by hierarchical perceptual discriminators."""

from generators.family import Family, LabelSpace
from generators.lab2pix_v2.config import Lab2pixV2Config
from generators.lab2pix_v2.generator import Lab2pixV2Generator
from generators.lab2pix_v2.published import PUBLISHED
from generators.lab2pix_v2.system import Lab2pixV2System
from generators.spade.style_encoder import StyleEncoder
from generators.spade.system import build_encoder

__all__ = ["LAB2PIX_V2", "Lab2pixV2Config", "Lab2pixV2Generator", "Lab2pixV2System"]


def _encoder(config: Lab2pixV2Config, space: LabelSpace) -> StyleEncoder | None:
    return build_encoder(config)


LAB2PIX_V2 = Family(
    name="lab2pix_v2",
    paper="Label-Guided Generative Adversarial Network for Realistic Image Synthesis, TPAMI 2022",
    config=Lab2pixV2Config,
    build_generator=Lab2pixV2Generator,
    build_encoder=_encoder,
    build_system=Lab2pixV2System,
    published=PUBLISHED,
)
