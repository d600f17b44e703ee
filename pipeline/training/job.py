"""All that a training worker has to know."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from generators.family import FamilyConfig
from label_editing.catalog import Catalog
from pipeline.sources.base import SourceConfig
from pipeline.training.data import Views

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Job:
    """One training; pickles to every worker."""

    name: str
    output: str
    source: SourceConfig
    family: str
    config: FamilyConfig
    catalog: Catalog
    views: Views
    steps: int
    batch_size: int = 1  # of each worker
    accumulate: int = 1  # batches to one update
    decay_share: float = 0.5
    coarse_factor: int = 1
    coarse_steps: int = 0  # the first steps see pictures smaller by coarse_factor
    precision: Precision = "auto"
    average_decay: float = 0.0
    seed: int = 0
    checkpoint_every: int = 500
    checkpoints_kept: int = 2
    samples_every: int = 500
    cache_bytes: int = 512 * 1024**2
    reading_threads: int = 1
    use_gpu: bool = False

    def identity(self) -> dict[str, Any]:
        """What another training in the same place has to share for its checkpoints to be ours.

        `steps` is no part of it: a longer training goes on from a shorter one.
        """
        return {
            "family": self.family,
            "hyperparameters": self.config.model_dump(mode="json"),
            "source": self.source.model_dump(mode="json"),
            "catalog": sha256(self.catalog.model_dump_json().encode()).hexdigest()[:16],
            "resolution": str(self.views.resolution),
            "load": str(self.views.load) if self.views.load else "native" if self.views.native else "",
            "flip": self.views.flip,
            "batch_size": self.batch_size,
            "accumulate": self.accumulate,
            "average_decay": self.average_decay,
            "coarse": f"1/{self.coarse_factor}" if self.coarse_steps else "",
            "seed": self.seed,
        }
