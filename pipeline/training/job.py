"""All that a training worker has to know."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from generators.family import FamilyConfig
from label_editing.catalog import Catalog
from pipeline.sources.base import SourceConfig
from pipeline.training.data import Views

Precision = Literal["auto", "float32", "bfloat16", "float16"]
_FORMAT = 2  # of checkpoints


@dataclass(frozen=True)
class Stage:
    """A part of a training with its own network size, pictures and rates; each goes on from the one before."""

    config: FamilyConfig
    views: Views
    steps: int
    decay_share: float = 0.5
    freeze_coarse: bool = False  # train only what this stage added


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
    steps: int  # of all stages together
    before: tuple[Stage, ...] = ()  # stages that come first; the fields here describe the last
    freeze_coarse: bool = False
    batch_size: int = 1  # of each worker
    accumulate: int = 1  # batches to one update
    balance: str | None = None  # attribute whose values come equally often
    decay_share: float = 0.5
    coarse_factor: int = 1
    coarse_steps: int = 0  # the first steps see pictures smaller by coarse_factor
    precision: Precision = "auto"
    channels_last: bool = True
    compile: bool = False
    recompute: bool = False  # activations are computed again for the backward pass
    average_decay: float = 0.0
    reestimate: int = 50  # batches that batch-norm statistics of averaged weights are estimated from
    seed: int = 0
    checkpoint_every: int = 500
    checkpoints_kept: int = 2
    samples_every: int = 500
    validation: SourceConfig | None = None  # None: pairs of the training source
    validation_pairs: int = 0  # 0: nothing is measured, no best model is kept
    keep: Literal["last", "best"] = "last"  # which weights become the model
    cache_bytes: int = 512 * 1024**2
    reading_threads: int = 1
    use_gpu: bool = False
    settings: dict[str, Any] = field(default_factory=dict)  # the config as written, for the report
    digests: dict[str, str] = field(default_factory=dict)  # of files of pretrained weights, by path
    teachers: dict[str, int] = field(default_factory=dict)  # judges that it learns from, and their seeds

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every part of the training in turn."""
        steps = self.steps - sum(stage.steps for stage in self.before)
        return (*self.before, Stage(self.config, self.views, steps, self.decay_share, self.freeze_coarse))

    def first_step(self, stage: int) -> int:
        """The steps that come before a stage."""
        return sum(part.steps for part in self.stages[:stage])

    def stage_at(self, step: int) -> int:
        """The number of the stage that makes this step; the last one when all are done."""
        ends = [self.first_step(number + 1) for number in range(len(self.before))]
        return sum(end <= step for end in ends)

    def identity(self) -> dict[str, Any]:
        """What another training in the same place has to share for its checkpoints to be ours.

        `steps` is no part of it: a longer training goes on from a shorter one.
        """
        return {
            "format": _FORMAT,
            "family": self.family,
            "hyperparameters": self._hyperparameters(self.config),
            "source": self.source.model_dump(mode="json"),
            "catalog": sha256(self.catalog.model_dump_json().encode()).hexdigest()[:16],
            "resolution": str(self.views.resolution),
            "load": _load(self.views),
            "flip": self.views.flip,
            "batch_size": self.batch_size,
            "accumulate": self.accumulate,
            "average_decay": self.average_decay,
            "coarse": f"1/{self.coarse_factor}" if self.coarse_steps else "",
            "stages": [self._said(stage) for stage in self.before],
            "freeze_coarse": self.freeze_coarse,
            "seed": self.seed,
            **({"balance": self.balance} if self.balance else {}),
        }

    def _said(self, stage: Stage) -> str:
        theirs, ours = self._hyperparameters(stage.config), self._hyperparameters(self.config)
        other = {name: value for name, value in theirs.items() if value != ours[name]}
        frozen = ", coarse part frozen" if stage.freeze_coarse else ""
        return f"{stage.steps} steps at {stage.views.resolution} {_load(stage.views)} with {other}{frozen}"

    def _hyperparameters(self, config: FamilyConfig) -> dict[str, Any]:
        known = config.pretrained()
        held = {name: self.digests[place] for name, place in known.items() if place in self.digests}
        return config.model_dump(mode="json") | held


def _load(views: Views) -> str:
    return str(views.load) if views.load else "native" if views.native else ""
