"""How CC-FPSE trains: SPADE's schedule with the feature-pyramid discriminator and twice the feature matching."""

from torch import Tensor

from generators.ccfpse.config import CcfpseConfig
from generators.ccfpse.discriminator import FpseDiscriminator
from generators.ccfpse.generator import CcfpseGenerator
from generators.family import LabelSpace
from generators.initialise import init_xavier
from generators.spade.system import HingeSystem
from generators.spade.verdict import Verdict


class CcfpseSystem(HingeSystem):
    def __init__(self, config: CcfpseConfig, space: LabelSpace) -> None:
        generator = CcfpseGenerator(config, space)
        discriminator = FpseDiscriminator(generator.condition_channels, config.discriminator_channels)
        super().__init__(config, generator, discriminator)
        init_xavier(self)

    def judge(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Verdict:
        verdict: Verdict = self.discriminator(condition_BSHW, image_BCHW)
        return verdict
