"""What a frozen segmentation network of the team's own pairs has to say of an image that a generator drew."""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from generators.checkpoint import fit_weights, read_weights
from generators.family import Batch, FamilyConfig
from generators.segmenter import Segmenter, pad_to_stride


class TaughtConfig(FamilyConfig):
    """A family that can learn from a segmentation network; not in any of the papers."""

    segmenter_weights: str | None = None  # path of a judge's weights, as `synthgen evaluate judge` makes them
    segmenter_weight: float = Field(10.0, ge=0)  # images must look alike to it
    label_weight: float = Field(4.0, ge=0)  # and it must find the labels again in what is drawn

    @field_validator("segmenter_weights")
    @classmethod
    def _is_a_file(cls, location: str | None) -> str | None:
        if location is not None and "://" in location:
            raise ValueError(f"{location}: copy it to a path that all workers see, and give that")
        return location

    @model_validator(mode="after")
    def _weighs_something(self) -> "TaughtConfig":
        # A config that was written out whole names all options.
        given = self.model_fields_set
        for weight in ("segmenter_weight", "label_weight"):
            if weight in given and "segmenter_weights" not in given:
                raise ValueError(f"{weight} weighs nothing without segmenter_weights")
        return self


# What a family says where it has neither VGG's weights nor a teacher.
TEACHER_INSTEAD = "; segmenter_weights of `synthgen evaluate judge` do more"


class Opinion(NamedTuple):
    """Two terms of a generator's loss."""

    features: Tensor  # how differently it sees the drawn image and the photograph, as a share of what it sees
    labels: Tensor  # cross-entropy of the labels in the drawn image, where the photograph shows them


class SegmenterLoss:
    """Features as in a perceptual loss, and labels that must be found again where they can be found in the photograph.

    Not a Module on purpose: its weights must not enter the state dict of a system.
    """

    def __init__(self, network: Segmenter) -> None:
        self._network = network.eval().requires_grad_(False)

    def __call__(self, fake_BCHW: Tensor, real_BCHW: Tensor, labels_BHW: Tensor) -> Opinion:
        network = self._network.to(fake_BCHW.device)
        # The network's logits are half the size: one pixel of every 2 x 2 block.
        target_BHW = pad_to_stride(labels_BHW[:, None].float())[:, 0, ::2, ::2].long()
        with torch.no_grad():
            theirs, logits = network.features_and_logits(pad_to_stride(real_BCHW))
            # A label that the photograph does not show, for the map is wrong or the object a few pixels, asks nothing.
            shown_BHW = logits.float().softmax(1).gather(1, target_BHW[:, None])[:, 0]
        ours, logits = network.features_and_logits(pad_to_stride(fake_BCHW))
        levels = [_difference(fake, real) for fake, real in zip(ours, theirs, strict=True)]
        missed_BHW = F.cross_entropy(logits.float(), target_BHW, reduction="none")
        return Opinion(torch.stack(levels).mean(), (missed_BHW * shown_BHW).mean())


class Teacher:
    """Terms of a generator's turn; none without weights."""

    def __init__(self, config: TaughtConfig, num_channels: int) -> None:
        location = config.segmenter_weights
        self._loss = load_segmenter_loss(location, num_channels) if location else None
        self._feature_weight, self._label_weight = config.segmenter_weight, config.label_weight

    def __bool__(self) -> bool:
        return self._loss is not None

    def terms(self, fake_BCHW: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        """(weight, loss) by name."""
        if self._loss is None:
            return {}
        found = self._loss(fake_BCHW, batch.image_BCHW, batch.labels_BHW)
        return {"segmenter": (self._feature_weight, found.features), "labels": (self._label_weight, found.labels)}


def load_segmenter_loss(location: Path | str, num_channels: int) -> SegmenterLoss:
    """The loss from a small judge's `segmenter.safetensors`; ValueError says why a file is none, or of other labels."""
    path = Path(location).expanduser()
    if not path.is_file():
        raise ValueError(f"{location}: no such file; `synthgen evaluate judge` makes one")
    weights = read_weights(path)
    head = weights.get("classify.weight")
    if head is None or head.ndim != 4:
        raise ValueError(f"{location}: not the weights of a small segmenter, as `synthgen evaluate judge` makes them")
    if len(head) != num_channels:
        raise ValueError(
            f"{location}: this segmenter tells {len(head)} classes apart, the label maps have {num_channels}; teach "
            "one on the source itself: synthgen evaluate judge"
        )
    network = Segmenter(num_channels, head.shape[1])
    fit_weights(network, weights, str(location))
    return SegmenterLoss(network)


def _difference(fake_BCHW: Tensor, real_BCHW: Tensor) -> Tensor:
    real_BCHW = real_BCHW.float()
    return F.l1_loss(fake_BCHW.float(), real_BCHW) / real_BCHW.abs().mean().clamp(min=1e-6)
