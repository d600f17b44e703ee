"""How pix2pixHD trains: LSGAN on several scales, feature matching, losses of frozen networks, own encoder."""

import torch
import torch.nn.functional as F
from torch import Tensor

from generators import losses
from generators.conditioning import instance_mean
from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.image_pool import ImagePool
from generators.initialise import init_normal
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.perceptual import load_perceptual_loss
from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.pix2pixhd.encoder import FeatureEncoder, build_encoder
from generators.pix2pixhd.generator import Pix2PixHDGenerator, build_generator
from generators.segmenter_loss import TEACHER_INSTEAD, Teacher
from generators.turns import weighted_turn

_BETAS = (0.5, 0.999)


class Pix2PixHDSystem(System):
    generator: Pix2PixHDGenerator
    encoder: FeatureEncoder | None

    def __init__(self, config: Pix2PixHDConfig, space: LabelSpace) -> None:
        super().__init__()
        self._config = config
        self.generator = build_generator(config, space)
        self.encoder = build_encoder(config, space)
        self.discriminator = MultiScaleDiscriminator(
            config.condition_channels(space) + 3,  # features are not shown to the discriminator
            config.discriminator_channels,
            config.discriminator_scales,
            config.discriminator_downsamplings,
        )
        init_normal(self)
        self._perceptual = load_perceptual_loss(config.vgg_weights) if config.vgg_weights else None
        self._teacher = Teacher(config, space.num_channels)
        self._pool = ImagePool(config.pool_size)

    def generator_turn(self, batch: Batch) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        fake = self.generator(condition, self.encode_style(batch.image_BCHW, batch.instances_BHW))
        with frozen(self.discriminator):
            fake_maps = self.discriminator(torch.cat([condition, fake], 1))
        with torch.no_grad():
            real_maps = self.discriminator(torch.cat([condition, batch.image_BCHW], 1))
        terms = {
            "adversarial": (1.0, losses.lsgan_generator(losses.scores_of(fake_maps))),
            "feature_matching": (self._config.feature_matching_weight, losses.feature_matching(fake_maps, real_maps)),
        }
        if self._perceptual is not None:
            terms["perceptual"] = (self._config.perceptual_weight, self._perceptual(fake, batch.image_BCHW))
        terms |= self._teacher.terms(fake, batch)
        if self._config.reconstruction_weight:
            terms["reconstruction"] = (self._config.reconstruction_weight, F.l1_loss(fake, batch.image_BCHW))
        return weighted_turn(terms, fake)

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        # The pool keeps condition and image together: an old fake is judged beside its own labels.
        fake_pairs = self._pool.query(torch.cat([condition, fake_BCHW.detach()], 1))
        real = losses.lsgan_real(losses.scores_of(self.discriminator(torch.cat([condition, batch.image_BCHW], 1))))
        fake = losses.lsgan_fake(losses.scores_of(self.discriminator(fake_pairs)))
        return Turn((real + fake) / 2, {"real": real.detach(), "fake": fake.detach()}, fake_BCHW)

    def optimizers(self) -> Optimizers:
        """Adam over what is trainable now: make fresh ones after freezing or thawing the coarse generator."""
        encoder = [] if self.encoder is None else list(self.encoder.parameters())
        rendering = [weight for weight in (*self.generator.parameters(), *encoder) if weight.requires_grad]
        return Optimizers(
            torch.optim.Adam(rendering, self._config.generator_rate, _BETAS),
            torch.optim.Adam(self.discriminator.parameters(), self._config.discriminator_rate, _BETAS),
        )

    def fallbacks(self) -> tuple[str, ...]:
        if self._perceptual is not None or self._teacher or self._config.perceptual_weight == 0:
            return ()
        carried = " and pixels" if self._config.reconstruction_weight else ""
        return (
            f"no VGG-19 weights (vgg_weights): perceptual loss left out, discriminator features{carried} match images"
            f"{TEACHER_INSTEAD}",
        )

    def encode_style(self, image_BCHW: Tensor, instances_BHW: Tensor) -> Tensor | None:
        if self.encoder is None:
            return None
        return instance_mean(self.encoder(image_BCHW), instances_BHW)

    def memory(self) -> dict[str, Tensor]:
        return self._pool.memory()

    def recall(self, memory: dict[str, Tensor]) -> None:
        self._pool.recall({name: tensor.to(self._device) for name, tensor in memory.items()})

    @property
    def _device(self) -> torch.device:
        return next(self.generator.parameters()).device

    def inherit(self, coarser: System) -> None:
        """Start from a system trained at half the resolution: its generator, encoder and discriminator scales."""
        assert isinstance(coarser, Pix2PixHDSystem)
        self.generator.inherit(coarser.generator)
        self.discriminator.inherit(coarser.discriminator)
        if self.encoder is not None and coarser.encoder is not None:
            self.encoder.load_state_dict(coarser.encoder.state_dict())

    def freeze_coarse(self, frozen: bool) -> None:
        """Train only the finest enhancer (and its head) against the discriminator, or everything again."""
        self.generator.freeze_coarse(frozen)
        if self.encoder is not None:
            self.encoder.requires_grad_(not frozen)


def build_system(config: Pix2PixHDConfig, space: LabelSpace) -> Pix2PixHDSystem:
    return Pix2PixHDSystem(config, space)
