"""Everything the card and the report say about a finished data set, gathered in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from label_editing.catalog import Catalog


@dataclass(frozen=True)
class ClassCounts:
    """Pixels per class and instances per thing class, by class name."""

    pixels: Mapping[str, int] = field(default_factory=dict)
    instances: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSummary:
    """A finished data set in numbers. `before` counts the source maps of the samples, `after` the edited ones."""

    name: str
    recipe_text: str
    catalog: Catalog
    samples: int
    shards: int
    num_bytes: int
    width: int
    height: int
    splits: Mapping[str, str]  # split -> glob of its shards
    before: ClassCounts
    after: ClassCounts
    edits: Mapping[str, Mapping[str, int]]  # op -> {applied, not drawn, reason: count}
    rejected: Mapping[str, int]  # reason -> count
    failed: Sequence[Mapping[str, Any]]  # source_key, stage, reason: lines of rejects.jsonl
    stage_seconds: Mapping[str, float]  # busy seconds, summed over workers
    wall_seconds: float
    attributes: Mapping[str, Mapping[str, int]]  # attribute -> value -> samples, of the style drawn
    agreement: Sequence[float]  # of each sample; empty when nothing was measured
    real_agreement: float | None  # of real pairs, which the judge learned from; None when nothing was measured
    seen_pixels: Mapping[str, int]  # by class, those whose label the images show; empty when nobody looked
    source: Mapping[str, Any]  # format, root, split, licence
    model: Mapping[str, Any]  # url, family, fingerprint
    versions: Mapping[str, str]

    @property
    def samples_per_second(self) -> float:
        return self.samples / self.wall_seconds if self.wall_seconds > 0 else 0.0
