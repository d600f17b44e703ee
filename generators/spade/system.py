"""How SPADE trains: hinge loss on two scales, feature matching, VGG features, and the KL of the style encoder."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from generators import losses
from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.initialise import init_xavier
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.perceptual import load_perceptual_loss
from generators.segmenter_loss import TEACHER_INSTEAD, Teacher
from generators.spade.config import SpadeConfig
from generators.spade.generator import SpadeGenerator, StagedGenerator
from generators.spade.style_encoder import StyleEncoder, sample_style
from generators.spade.verdict import Verdict, feature_distance
from generators.turns import weighted_turn

# Two time-scale update rule; the published 0.999 for the first beta pair is a slip, 0.9 was trained with.
_BETAS = (0.0, 0.9)


class HingeSystem(System):
    """The schedule that SPADE, CC-FPSE and Lab2Pix-V2 share; they differ in their discriminators."""

    generator: StagedGenerator
    encoder: StyleEncoder | None

    def __init__(self, config: SpadeConfig, generator: StagedGenerator, discriminator: nn.Module) -> None:
        super().__init__()
        self._config = config
        self.generator = generator
        self.encoder = build_encoder(config)
        self.discriminator = discriminator
        self._perceptual = load_perceptual_loss(config.vgg_weights) if config.vgg_weights else None
        self._teacher = Teacher(config, generator.num_channels)

    @abstractmethod
    def judge(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Verdict:
        """The discriminator's verdict."""

    def generator_turn(self, batch: Batch) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        style, terms = self._sample_style(batch.image_BCHW)
        fake = self.generator(condition, style)
        with frozen(self.discriminator):
            fake_verdict = self.judge(condition, fake)
        with torch.no_grad():
            real_verdict = self.judge(condition, batch.image_BCHW)
        terms["adversarial"] = (1.0, self.fooling(fake_verdict.scores, batch))
        terms["feature_matching"] = (
            self._config.feature_matching_weight,
            feature_distance(fake_verdict, real_verdict),
        )
        if self._perceptual is not None:
            terms["perceptual"] = (self._config.perceptual_weight, self._perceptual(fake, batch.image_BCHW))
        return weighted_turn(terms | self._teacher.terms(fake, batch), fake)

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        """Judges a fresh image of the generator just updated, as the authors do."""
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        with torch.no_grad():
            style, _ = self._sample_style(batch.image_BCHW)
            fake = self.generator(condition, style)
        return weighted_turn(self.telling_apart(condition, fake, batch), fake)

    def fooling(self, scores: list[Tensor], batch: Batch) -> Tensor:
        """The generator's adversarial loss."""
        return losses.hinge_generator(scores)

    def telling_apart(self, condition: Tensor, fake: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        """The discriminator's weighted losses."""
        return {
            "real": (1.0, losses.hinge_real(self.judge(condition, batch.image_BCHW).scores)),
            "fake": (1.0, losses.hinge_fake(self.judge(condition, fake).scores)),
        }

    def optimizers(self) -> Optimizers:
        encoder = [] if self.encoder is None else list(self.encoder.parameters())
        judging = [weight for weight in self.discriminator.parameters() if weight.requires_grad]
        return Optimizers(
            torch.optim.Adam([*self.generator.parameters(), *encoder], self._config.generator_rate, _BETAS),
            torch.optim.Adam(judging, self._config.discriminator_rate, _BETAS),
        )

    def encode_style(self, image_BCHW: Tensor, instances_BHW: Tensor) -> Tensor | None:
        """The mean of the posterior: the most likely style, the same every time."""
        if self.encoder is None:
            return None
        mean: Tensor = self.encoder(image_BCHW)[0]
        return mean

    def fallbacks(self) -> tuple[str, ...]:
        if self._perceptual is not None or self._teacher or self._config.perceptual_weight == 0:
            return ()
        return (
            "no VGG-19 weights (vgg_weights): perceptual loss left out, discriminator features alone match images"
            f"{TEACHER_INSTEAD}",
        )

    def _sample_style(self, image_BCHW: Tensor) -> tuple[Tensor | None, dict[str, tuple[float, Tensor]]]:
        """A style drawn from the posterior of the image, with its KL term."""
        if self.encoder is None:
            return None, {}
        mean, log_variance = self.encoder(image_BCHW)
        style = sample_style(mean, log_variance, torch.randn_like(mean))
        return style, {"kl": (self._config.kl_weight, losses.kl_divergence(mean, log_variance))}


class SpadeSystem(HingeSystem):
    """SPADE with its two-scale PatchGAN."""

    def __init__(self, config: SpadeConfig, space: LabelSpace) -> None:
        generator = SpadeGenerator(config, space)
        discriminator = MultiScaleDiscriminator(
            generator.condition_channels + 3,
            config.discriminator_channels,
            config.discriminator_scales,
            config.discriminator_downsamplings,
            norm="spectral_instance",
        )
        super().__init__(config, generator, discriminator)
        init_xavier(self)

    def judge(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Verdict:
        scales = self.discriminator(torch.cat([condition_BSHW, image_BCHW], dim=1))
        return Verdict([maps[:-1] for maps in scales], [maps[-1] for maps in scales])


def build_encoder(config: SpadeConfig) -> StyleEncoder | None:
    return StyleEncoder(config.encoder_channels, config.style_dim) if config.use_vae else None
