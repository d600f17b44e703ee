"""How Lab2Pix-V1 trains: labels and photographs of different scenes, so labels are read back from what is generated."""

import itertools
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.initialise import init_normal
from generators.lab2pix_v1.adversarial import judge_levels, soften
from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.lab2pix_v1.discriminator import PerceptualDiscriminator
from generators.lab2pix_v1.foreground import background_table, foreground_mask
from generators.lab2pix_v1.generator import Lab2pixV1Generator
from generators.lab2pix_v1.likeness import BackboneLikeness, Likeness, VggLikeness
from generators.lab2pix_v1.segmenter import Segmenter
from generators.perceptual import load_perceptual_loss
from generators.turns import weighted_turn
from generators.vgg16 import Vgg16Pools

_BETAS = (0.5, 0.999)
_SCALES = 3


class Lab2pixV1System(System):
    generator: Lab2pixV1Generator
    encoder: None
    is_background: Tensor

    def __init__(self, config: Lab2pixV1Config, space: LabelSpace) -> None:
        super().__init__()
        self._config = config
        self.generator = Lab2pixV1Generator(config, space)
        self.encoder = None
        backbone = Vgg16Pools(config.vgg16_weights, config.backbone_channels)
        self.discriminators = nn.ModuleList(
            PerceptualDiscriminator(
                _SCALES - scale, backbone.widths, config.discriminator_channels, config.discriminator_norm
            )
            for scale in range(_SCALES)
        )
        logits = 1 if self.generator.sketch else space.num_channels
        self.segmenters = nn.ModuleList(
            Segmenter(logits, config.segmenter_channels, config.segmenter_side_px) for _ in range(_SCALES)
        )
        init_normal(self, config.initial_spread)
        # After the initialisation, which would overwrite it (as the released code does with its pretrained weights).
        self.backbone = backbone
        self.register_buffer("is_background", background_table(space, config.background_channels), persistent=False)
        self._likeness: Likeness = (
            VggLikeness(load_perceptual_loss(config.vgg_weights)) if config.vgg_weights else BackboneLikeness(backbone)
        )

    def generator_turn(self, batch: Batch) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        fakes = self.generator.pyramid(condition, None)
        with frozen(self.discriminators):
            adversarial = self._judge(fakes, real=True, mask=self._mask(batch))
            likeness = self._photograph_distance(fakes, _scales_of(batch.image_BCHW))
        consistency = [self._likeness.between_scales(finer, coarser) for finer, coarser in itertools.pairwise(fakes)]
        terms = {
            "adversarial": (1.0, adversarial),
            "labels": (self._config.label_weight, self._label_loss(fakes, condition)),
            "likeness": (self._config.perceptual_weight, likeness),
            "consistency": (self._config.consistency_weight, torch.stack(consistency).sum()),
        }
        return weighted_turn(terms, fakes[0])

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        """Fakes at all three scales are made afresh: the turn before hands over only the largest."""
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        with torch.no_grad():
            fakes = self.generator.pyramid(condition, None)
        reals = _scales_of(batch.image_BCHW)
        sharpness = self._config.sharpness_weight
        terms = {
            "fake": (0.5, self._judge(fakes, real=False, mask=self._mask(batch))),
            "real": (0.5 * (1 + sharpness), self._judge(reals, real=True)),
        }
        if sharpness:
            terms["soft"] = (0.5 * sharpness, self._judge([soften(real) for real in reals], real=False))
        return weighted_turn(terms, fakes[0])

    def optimizers(self) -> Optimizers:
        """The segmenters learn with the generator."""
        rendering = [*self.generator.parameters(), *self.segmenters.parameters()]
        return Optimizers(
            torch.optim.Adam(rendering, self._config.rate, _BETAS),
            torch.optim.Adam(
                self.discriminators.parameters(), self._config.discriminator_rate or self._config.rate, _BETAS
            ),
        )

    def fallbacks(self) -> tuple[str, ...]:
        missing = []
        if self._config.vgg16_weights is None:
            missing.append("no VGG-16 weights (vgg16_weights): discriminators look through a frozen random backbone")
        if self._config.vgg_weights is None:
            missing.append(
                "no VGG-19 weights (vgg_weights): likeness compares features of the discriminators' backbone"
            )
        return tuple(missing)

    @property
    def _judges(self) -> list[PerceptualDiscriminator]:
        return [cast(PerceptualDiscriminator, judge) for judge in self.discriminators]

    def _judge(self, images: Sequence[Tensor], real: bool, mask: Tensor | None = None) -> Tensor:
        """Adversarial loss over the three scales, summed."""
        losses = []
        for image, judge in zip(images, self._judges, strict=True):
            scores = judge(image, self.backbone(image, judge.num_levels))
            losses.append(judge_levels(scores, real, mask))
        return torch.stack(losses).sum()

    def _photograph_distance(self, fakes: Sequence[Tensor], reals: Sequence[Tensor]) -> Tensor:
        distances = [
            self._likeness.to_photograph(fake, real, judge.num_levels)
            for fake, real, judge in zip(fakes, reals, self._judges, strict=True)
        ]
        return torch.stack(distances).sum()

    def _label_loss(self, fakes: Sequence[Tensor], condition_B1HW: Tensor) -> Tensor:
        losses = []
        for fake, segmenter in zip(fakes, self.segmenters, strict=True):
            logits = F.interpolate(segmenter(fake).float(), size=condition_B1HW.shape[-2:], mode="nearest")
            if self.generator.sketch:
                losses.append(F.mse_loss(torch.tanh(logits), condition_B1HW))
            else:
                losses.append(F.cross_entropy(logits, condition_B1HW[:, 0].long()))
        return torch.stack(losses).sum()

    def _mask(self, batch: Batch) -> Tensor | None:
        if self.generator.sketch:
            return None
        return foreground_mask(batch.labels_BHW, self.is_background, self._config.foreground_rate)


def _scales_of(image_BCHW: Tensor) -> list[Tensor]:
    """Full, half and quarter size."""
    return [F.avg_pool2d(image_BCHW, 2**scale) if scale else image_BCHW for scale in range(_SCALES)]
