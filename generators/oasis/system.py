"""How OASIS trains: the discriminator's segmentation is all the supervision there is."""

import torch
from torch import Tensor

from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.initialise import init_xavier
from generators.oasis.config import OasisConfig
from generators.oasis.discriminator import SegmentingDiscriminator
from generators.oasis.generator import OasisGenerator
from generators.oasis.label_mix import consistency, draw_mask, mix, toss_coins
from generators.oasis.segmentation_loss import class_weights, fake_loss, real_loss
from generators.turns import weighted_turn

_BETAS = (0.0, 0.999)


class OasisSystem(System):
    generator: OasisGenerator
    encoder: None

    def __init__(self, config: OasisConfig, space: LabelSpace) -> None:
        super().__init__()
        self._config = config
        self._space = space
        self.generator = OasisGenerator(config, space)
        self.encoder = None
        self.discriminator = SegmentingDiscriminator(space.num_channels, config.discriminator_channels)
        init_xavier(self.generator, gain=config.generator_gain)
        init_xavier(self.discriminator, gain=config.discriminator_gain)

    def generator_turn(self, batch: Batch) -> Turn:
        fake = self._render(batch)
        with frozen(self.discriminator):
            logits = self.discriminator(fake)
        adversarial = real_loss(logits, batch.labels_BHW, self._class_weights(batch))
        return weighted_turn({"adversarial": (1.0, adversarial)}, fake)

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        """Judges a fresh image, with noise of its own."""
        with torch.no_grad():
            fake = self._render(batch)
        logits_real, logits_fake = self.discriminator(batch.image_BCHW), self.discriminator(fake)
        terms = {
            "real": (1.0, real_loss(logits_real, batch.labels_BHW, self._class_weights(batch))),
            "fake": (1.0, fake_loss(logits_fake)),
        }
        if self._config.label_mix_weight:
            coins = toss_coins(self._space.num_channels, fake.device)
            mask = draw_mask(batch.labels_BHW, coins)
            logits_mixed = self.discriminator(mix(mask, batch.image_BCHW, fake))
            label_mix = consistency(logits_mixed, logits_real, logits_fake, mask)
            terms["label_mix"] = (self._config.label_mix_weight, label_mix)
        return weighted_turn(terms, fake)

    def optimizers(self) -> Optimizers:
        return Optimizers(
            torch.optim.Adam(self.generator.parameters(), self._config.generator_rate, _BETAS),
            torch.optim.Adam(self.discriminator.parameters(), self._config.discriminator_rate, _BETAS),
        )

    def _render(self, batch: Batch) -> Tensor:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        fake: Tensor = self.generator(condition, None)
        return fake

    def _class_weights(self, batch: Batch) -> Tensor:
        return class_weights(batch.labels_BHW, self._space.num_channels, self._space.void_channels)
