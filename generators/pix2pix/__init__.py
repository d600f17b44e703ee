"""pix2pix: the U-Net and PatchGAN baseline."""

from generators.family import Family, LabelSpace
from generators.pix2pix.config import Pix2PixConfig
from generators.pix2pix.discriminator import SinglePatchDiscriminator
from generators.pix2pix.generator import UNetGenerator
from generators.pix2pix.system import Pix2PixSystem

__all__ = ["PIX2PIX", "Pix2PixConfig", "Pix2PixSystem", "SinglePatchDiscriminator", "UNetGenerator"]


def _no_encoder(config: Pix2PixConfig, space: LabelSpace) -> None:
    return None


PIX2PIX = Family(
    name="pix2pix",
    paper="Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017",
    config=Pix2PixConfig,
    build_generator=UNetGenerator,
    build_encoder=_no_encoder,
    build_system=Pix2PixSystem,
)
