"""The interface of every label-to-image system: its config, its generator, and how one training step is made.

Shape suffixes: B batch, C channels, H rows, W columns. Labels are *channels* (ranks in the catalog), never class ids.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from generators.layout import Layout
from generators.published import Published
from generators.spectral_norm import bake
from generators.style import StyleKind


class FamilyConfig(BaseModel):
    """Hyper-parameters of one family: small, strict, frozen; saved in model.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def pretrained(self) -> dict[str, str]:
        """Where the weights of other networks are, paths and URLs, by option; those that were given."""
        return {name: place for name, place in self if name.endswith("_weights") and place is not None}


@dataclass(frozen=True)
class LabelSpace:
    """What a generator needs to know of a catalog."""

    num_channels: int
    thing_channels: tuple[int, ...] = ()
    void_channels: tuple[int, ...] = ()


class Batch(NamedTuple):
    """One training batch on its device."""

    labels_BHW: Tensor  # int64 channels
    instances_BHW: Tensor  # int32 instance ids
    image_BCHW: Tensor  # float32 in [-1, 1]; unpaired families get images of other scenes


class Turn(NamedTuple):
    """What one player's turn gives: the loss to descend, its named terms (unweighted, detached), the image made."""

    total: Tensor
    terms: dict[str, Tensor]
    fake_BCHW: Tensor


class Optimizers(NamedTuple):
    generator: torch.optim.Optimizer
    discriminator: torch.optim.Optimizer


class Generator(nn.Module, ABC):
    """Label map and style to image."""

    style_kind: StyleKind
    style_dim: int  # 0 when there is no style
    stride: int  # image sides must be multiples of it; the renderer pads and crops
    num_channels: int = 0  # how many labels it takes; 0 where it does not say
    # Whether `in_styles` spares work when one layout is rendered in several styles.
    shares_layouts: bool = False

    @abstractmethod
    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """The tensor the network is conditioned on: one-hot, edges, whatever the family takes."""

    @abstractmethod
    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        """The image, B x 3 x H x W in [-1, 1].

        `style` by kind: INSTANCE and NOISE a painted map B x style_dim x H x W, NOISE also B x style_dim x 1 x 1 where
        it is the same everywhere; GLOBAL B x style_dim; NONE is None.
        None for a family that has styles means zeros (INSTANCE) or a standard-normal draw (GLOBAL, NOISE).
        """

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        """One layout in several styles, each a batch of one: the images that `forward` gives one by one, to the bit."""
        return [self(layout.condition, style) for style in styles]

    def for_inference(self, device: torch.device) -> "Generator":
        """A copy that gives the same images up to rounding, faster on this device.

        Its condition may be of another form. Families with rewrites of their own override this.
        """
        return bake(copy.deepcopy(self).eval())

    def fix_shapes(self) -> None:
        """From now on no step depends on what labels there are, so that a pass can be recorded or compiled."""


class System(nn.Module, ABC):
    """A generator with all that trains it. Its own parameters are everything a checkpoint holds."""

    generator: Generator
    encoder: (
        nn.Module | None
    )  # image -> style: INSTANCE families a map to pool per instance, GLOBAL (mean, log-variance)

    @abstractmethod
    def generator_turn(self, batch: Batch) -> Turn:
        """Losses of the generator (and encoder)."""

    @abstractmethod
    def discriminator_turn(self, batch: Batch, fake_BCHW: Tensor) -> Turn:
        """Losses of the discriminator; `fake_BCHW` is the image of this step's generator turn (families that need a
        fresh one make it)."""

    @abstractmethod
    def optimizers(self) -> Optimizers:
        """Fresh optimisers at the family's own rates. Generator's holds the encoder's parameters too."""

    def encode_style(self, image_BCHW: Tensor, instances_BHW: Tensor) -> Tensor | None:
        """The style of real images, ready for `generator.forward`; None for families without an encoder."""
        return None

    def inherit(self, coarser: "System") -> None:
        """Start from a system trained at a lower resolution; families with `Family.grows` have this."""
        raise ValueError(f"{type(self).__name__} does not grow from a coarser one")

    def freeze_coarse(self, frozen: bool) -> None:
        """Train only what came on top of the coarser system, or everything again; make fresh optimisers afterwards."""
        raise ValueError(f"{type(self).__name__} does not grow from a coarser one")

    def memory(self) -> dict[str, Tensor]:
        """What the system remembers beside its weights, such as old images: a checkpoint keeps it."""
        return {}

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Remember what `memory` gave."""

    def fallbacks(self) -> tuple[str, ...]:
        """What stands in for pretrained networks that were not supplied: for the log and model.json."""
        return ()

    def forward(
        self, batch: Batch, turn: Literal["generator", "discriminator"], fake_BCHW: Tensor | None = None
    ) -> Turn:
        """Both turns behind one call, so that data-parallel wrappers see them."""
        if turn == "generator":
            return self.generator_turn(batch)
        if fake_BCHW is None:
            raise ValueError("the discriminator's turn needs the generator's image")
        return self.discriminator_turn(batch, fake_BCHW)


def take_over(system: System, earlier: System) -> None:
    """Go on from what an earlier stage learnt: the same networks as they are, larger ones grown from it."""
    learnt = earlier.state_dict()
    if {name: t.shape for name, t in learnt.items()} == {name: t.shape for name, t in system.state_dict().items()}:
        system.load_state_dict(learnt)
    else:
        system.inherit(earlier)


@dataclass(frozen=True)
class Family:
    """One row of the table of families."""

    name: str
    paper: str
    config: type[FamilyConfig]
    build_generator: Callable[[Any, LabelSpace], Generator]
    build_encoder: Callable[[Any, LabelSpace], nn.Module | None]
    build_system: Callable[[Any, LabelSpace], System]
    paired: bool = True
    grows: bool = False  # trains coarse to fine: its systems inherit from coarser ones
    published: Published | None = None  # None: no checkpoints of the authors to import
