"""Style: what a label map does not say, as numbers a generator takes."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class StyleKind(StrEnum):
    """What the style of a family is."""

    INSTANCE = "instance"  # a vector per instance, painted over its pixels
    GLOBAL = "global"  # one code per image
    NOISE = "noise"  # a noise vector per image or per instance, painted likewise
    NONE = "none"


@dataclass(frozen=True)
class Style:
    """The style of one scene: one vector per instance id, or (`ids` None) a single one for the whole image.

    Instance ids that are not listed get zeros, never uninitialised memory.
    """

    ids: npt.NDArray[np.int32] | None
    vectors: npt.NDArray[np.float32]  # num_ids x dim; 1 x dim when ids is None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or (self.ids is None and len(self.vectors) != 1):
            raise ValueError(f"style vectors have shape {self.vectors.shape}; expected (1, dim) without ids")
        if self.ids is not None and len(self.ids) != len(self.vectors):
            raise ValueError(f"style has {len(self.ids)} ids and {len(self.vectors)} vectors")
