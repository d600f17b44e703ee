"""Lab2Pix-V1: label maps and photographs that do not belong together."""

from generators.family import Family, LabelSpace
from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.lab2pix_v1.generator import Lab2pixV1Generator
from generators.lab2pix_v1.published import PUBLISHED
from generators.lab2pix_v1.system import Lab2pixV1System

__all__ = ["LAB2PIX_V1", "Lab2pixV1Config", "Lab2pixV1Generator", "Lab2pixV1System"]


def _no_encoder(config: Lab2pixV1Config, space: LabelSpace) -> None:
    return None


LAB2PIX_V1 = Family(
    name="lab2pix_v1",
    paper="Lab2Pix: Label-Adaptive Generative Adversarial Network for Unsupervised Image Synthesis, ACM MM 2020",
    config=Lab2pixV1Config,
    build_generator=Lab2pixV1Generator,
    build_encoder=_no_encoder,
    build_system=Lab2pixV1System,
    paired=False,
    published=PUBLISHED,
)
