"""pix2pixHD: coarse-to-fine generator, multi-scale discriminators, instance-wise feature encoder."""

from generators.family import Family
from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.pix2pixhd.encoder import FeatureEncoder, build_encoder
from generators.pix2pixhd.generator import Pix2PixHDGenerator, build_generator
from generators.pix2pixhd.published import PUBLISHED
from generators.pix2pixhd.system import Pix2PixHDSystem, build_system

__all__ = ["PIX2PIXHD", "FeatureEncoder", "Pix2PixHDConfig", "Pix2PixHDGenerator", "Pix2PixHDSystem"]

PIX2PIXHD = Family(
    name="pix2pixhd",
    paper="High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs, CVPR 2018",
    config=Pix2PixHDConfig,
    build_generator=build_generator,
    build_encoder=build_encoder,
    build_system=build_system,
    grows=True,
    published=PUBLISHED,
)
