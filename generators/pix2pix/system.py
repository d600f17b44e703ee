"""How pix2pix trains: cross-entropy GAN and a hundred times L1."""

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.initialise import init_normal
from generators.pix2pix.config import Pix2PixConfig
from generators.pix2pix.discriminator import SinglePatchDiscriminator
from generators.pix2pix.generator import UNetGenerator
from generators.turns import weighted_turn

_BETAS = (0.5, 0.999)


class Pix2PixSystem(System):
    generator: UNetGenerator
    encoder: None

    def __init__(self, config: Pix2PixConfig, space: LabelSpace) -> None:
        super().__init__()
        self._config = config
        self.generator = UNetGenerator(config, space)
        self.encoder = None
        self.discriminator = SinglePatchDiscriminator(self.generator.condition_channels, config.discriminator_channels)
        init_normal(self)

    def generator_turn(self, batch: Batch) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        fake = self.generator(condition, None)
        with frozen(self.discriminator):
            adversarial = _told_as(self.discriminator(condition, fake), 1.0)
        terms = {
            "adversarial": (1.0, adversarial),
            "l1": (self._config.l1_weight, F.l1_loss(fake, batch.image_BCHW)),
        }
        return weighted_turn(terms, fake)

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        terms = {
            "real": (0.5, _told_as(self.discriminator(condition, batch.image_BCHW), 1.0)),
            "fake": (0.5, _told_as(self.discriminator(condition, fake_BCHW.detach()), 0.0)),
        }
        return weighted_turn(terms, fake_BCHW)

    def optimizers(self) -> Optimizers:
        return Optimizers(
            torch.optim.Adam(self.generator.parameters(), self._config.rate, _BETAS),
            torch.optim.Adam(self.discriminator.parameters(), self._config.rate, _BETAS),
        )


def _told_as(logits: Tensor, real: float) -> Tensor:
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, real))
