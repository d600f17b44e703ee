"""How CRN trains: by feature distance alone. The features are VGG-19's, or those of a discriminator."""

import torch
from torch import Tensor, nn

from generators import losses
from generators.crn.config import CrnConfig
from generators.crn.diversity import best_candidates, class_errors
from generators.crn.features import Compared, Vgg19Features
from generators.crn.generator import CrnGenerator
from generators.family import Batch, LabelSpace, Optimizers, System, Turn
from generators.gradients import frozen
from generators.initialise import init_normal
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.turns import weighted_turn


class CrnSystem(System):
    generator: CrnGenerator
    encoder: None

    def __init__(self, config: CrnConfig, space: LabelSpace) -> None:
        super().__init__()
        self._config = config
        self.generator = CrnGenerator(config, space)
        self.encoder = None
        self._vgg = Vgg19Features(config.vgg_weights) if config.vgg_weights else None
        self.discriminator: MultiScaleDiscriminator | None = None
        if self._vgg is None:
            channels = self.generator.condition_channels + 3
            self.discriminator = MultiScaleDiscriminator(
                channels, config.discriminator_channels, config.discriminator_scales
            )
            init_normal(self.discriminator)
        else:
            # With VGG nobody opposes the generator; the loop's second optimiser holds this number alone.
            self.idle = nn.Parameter(torch.zeros(()))

    def generator_turn(self, batch: Batch) -> Turn:
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        candidates = self.generator.candidates(condition)
        labels_BKHW = condition[:, : self.generator.num_channels]
        with torch.no_grad():
            real = self._compared(condition, batch.image_BCHW)
        errors = [
            class_errors(self._compared(condition, candidate), real, labels_BKHW) for candidate in candidates.unbind(1)
        ]
        return weighted_turn({"features": (1.0, best_candidates(torch.stack(errors)))}, candidates[:, 0])

    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        if self.discriminator is None:
            return weighted_turn({"idle": (0.0, self.idle)}, fake_BCHW)
        condition = self.generator.condition(batch.labels_BHW, batch.instances_BHW)
        real = losses.scores_of(self.discriminator(torch.cat([condition, batch.image_BCHW], dim=1)))
        fake = losses.scores_of(self.discriminator(torch.cat([condition, fake_BCHW.detach()], dim=1)))
        terms = {"real": (0.5, losses.lsgan_real(real)), "fake": (0.5, losses.lsgan_fake(fake))}
        return weighted_turn(terms, fake_BCHW)

    def optimizers(self) -> Optimizers:
        opposing = [self.idle] if self.discriminator is None else list(self.discriminator.parameters())
        return Optimizers(
            torch.optim.Adam(
                [weight for weight in self.generator.parameters() if weight.requires_grad], self._config.generator_rate
            ),
            torch.optim.Adam(opposing, self._config.discriminator_rate),
        )

    def inherit(self, coarser: System) -> None:
        """Start from a system trained at a lower resolution: its modules, and its discriminator where there is one."""
        assert isinstance(coarser, CrnSystem)
        self.generator.inherit(coarser.generator)
        if self.discriminator is not None and coarser.discriminator is not None:
            self.discriminator.inherit(coarser.discriminator)

    def freeze_coarse(self, frozen: bool) -> None:
        """Train only the two finest modules, as the paper does at 2048x1024 for want of memory, or all again."""
        self.generator.freeze_coarse(frozen)

    def fallbacks(self) -> tuple[str, ...]:
        if self._vgg is not None:
            return ()
        return (
            "no VGG-19 weights (vgg_weights): images are compared by features of a discriminator trained alongside",
        )

    def _compared(self, condition: Tensor, image_BCHW: Tensor) -> list[Compared]:
        if self._vgg is not None:
            return self._vgg(image_BCHW)
        assert self.discriminator is not None
        with frozen(self.discriminator):
            scales = self.discriminator(torch.cat([condition, image_BCHW], dim=1))
        # Padding makes these maps a pixel larger than the grid of labels, which are pooled to whatever size they have.
        return [Compared(image_BCHW, 1.0), *(Compared(maps, 1.0) for scale in scales for maps in scale[:-1])]
