"""What flows between the stages of a run: a slot of a shard, filled step by step, with all that failed in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.scene import LabelMap
from pipeline.plan import SampleSpec


class Judged(NamedTuple):
    """What a judge says of an image."""

    agreement: float  # the share of its label map that is found again, 0 to 1
    seen: npt.NDArray[np.bool_] | None = None  # pixels whose label the image shows, where the recipe asks for them


# B x H x W x 3 images and the label maps they were made of -> what is thought of each.
Judging = Callable[[npt.NDArray[np.uint8], Sequence[LabelMap]], list[Judged]]


class Outcome(StrEnum):
    """Why a sample was not kept."""

    FAILED = "failed"  # could not be read, edited or rendered; counts against `on_error.max_fraction`
    REFUSED = "refused"  # a required edit does not fit this scene
    REJECTED = "rejected"  # the quality gate


@dataclass(frozen=True)
class Reject:
    """One line of rejects.jsonl."""

    shard: str
    key: str
    source_key: str
    variant: int
    stage: str
    outcome: Outcome
    reason: str

    def as_data(self) -> dict[str, Any]:
        return {**vars(self), "outcome": self.outcome.value}


@dataclass(frozen=True)
class EditedSample:
    """A sample before it is rendered: its maps as the shard will hold them, and everything that was drawn."""

    spec: SampleSpec
    labels_png: bytes
    instances_png: bytes
    edits: str  # JSON, as in the record
    styles: str
    instances: str
    pixels: dict[str, int]
    source_pixels: dict[str, int]
    source_instances: dict[str, int]


@dataclass(frozen=True)
class RenderedSample:
    """A sample ready for its shard."""

    edited: EditedSample
    image: bytes
    agreement: float
    seen_png: bytes | None = None  # the label map with void where the image does not show it
    seen_pixels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Slot:
    """A place in a shard. `sample` None: nothing could be put there."""

    shard: str
    number: int
    attempts: int = 0  # scenes tried so far
    sample: EditedSample | RenderedSample | None = None
    rejects: tuple[Reject, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)  # busy, by stage
