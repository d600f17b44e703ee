"""How Lab2Pix-V2 trains: SPADE's schedule, hierarchical perceptual discriminators, foreground and sharp enhancement."""

import torch
from torch import Tensor

from generators.family import Batch, LabelSpace
from generators.initialise import init_xavier
from generators.lab2pix_v1.foreground import background_table, foreground_mask
from generators.lab2pix_v2.adversarial import accumulate, decimate, generator_levels, judged_levels
from generators.lab2pix_v2.config import Lab2pixV2Config
from generators.lab2pix_v2.discriminator import PerceptualDiscriminators, ScaleVerdict
from generators.lab2pix_v2.generator import Lab2pixV2Generator
from generators.spade.system import HingeSystem
from generators.spade.verdict import Verdict
from generators.vgg16 import Vgg16Pools


class Lab2pixV2System(HingeSystem):
    _config: Lab2pixV2Config
    is_background: Tensor

    def __init__(self, config: Lab2pixV2Config, space: LabelSpace) -> None:
        generator = Lab2pixV2Generator(config, space)
        backbone = Vgg16Pools(config.vgg16_weights, config.backbone_channels, renormalise=True)
        discriminator = PerceptualDiscriminators(
            generator.condition_channels, config.discriminator_levels, backbone.widths, config.discriminator_channels
        )
        super().__init__(config, generator, discriminator)
        self._levels_per_scale = discriminator.levels_per_scale
        init_xavier(self, skip_spectral=config.skip_spectral_init)
        # After the initialisation, which would overwrite its weights.
        self.backbone = backbone
        self.register_buffer("is_background", background_table(space, config.background_channels), persistent=False)

    def judge(self, condition_BSHW: Tensor, image_BCHW: Tensor) -> Verdict:
        scales = self._scales(condition_BSHW, image_BCHW)
        return Verdict([scale.features for scale in scales], [score for scale in scales for score in scale.scores])

    def fooling(self, scores: list[Tensor], batch: Batch) -> Tensor:
        mask = self._mask(batch)
        return accumulate([generator_levels(scale, mask) for scale in self._by_scale(scores)], self._nested)

    def telling_apart(self, condition: Tensor, fake: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        sharpness = self._config.sharpness_weight
        share = 1 / (1 + sharpness)
        # The authors judge the photograph twice, once beside each kind of fake: the same loss with weight one.
        terms = {
            "real": (1.0, self._judged(condition, batch.image_BCHW, batch, real=True)),
            "fake": (share, self._judged(condition, fake, batch, real=False)),
        }
        if sharpness:
            soft = self._judged(condition, decimate(batch.image_BCHW), batch, real=False)
            terms["soft"] = (sharpness * share, soft)
        return terms

    def fallbacks(self) -> tuple[str, ...]:
        inherited = super().fallbacks()
        if self._config.vgg16_weights is not None:
            return inherited
        return (
            *inherited,
            "no VGG-16 weights (vgg16_weights): discriminators look through a frozen random backbone",
        )

    def _judged(self, condition: Tensor, image: Tensor, batch: Batch, real: bool) -> Tensor:
        mask = self._mask(batch)
        scales = [judged_levels(scale.scores, mask, real) for scale in self._scales(condition, image)]
        return accumulate(scales, self._nested)

    def _scales(self, condition: Tensor, image: Tensor) -> list[ScaleVerdict]:
        scales: list[ScaleVerdict] = self.discriminator(condition, image, self.backbone)
        return scales

    def _by_scale(self, scores: list[Tensor]) -> list[list[Tensor]]:
        scales, start = [], 0
        for levels in self._levels_per_scale:
            scales.append(scores[start : start + levels])
            start += levels
        return scales

    @property
    def _nested(self) -> bool:
        return self._config.nested_average

    def _mask(self, batch: Batch) -> Tensor:
        if self._config.condition == "sketch":
            return torch.ones_like(batch.image_BCHW[:, :1])
        return foreground_mask(batch.labels_BHW, self.is_background, self._config.foreground_rate)
