"""What a run would make, without making it: counts from the plan, sizes and classes from a few samples edited here."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from label_editing.edits.base import NOT_DRAWN
from pipeline.augment.editing import Editor
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import EditedSample, Slot
from pipeline.augment.statistics import edit_outcomes
from pipeline.balance import ClassShare
from pipeline.report.html import byte_size
from pipeline.shards.commit import committed_shards
from pipeline.storage import Store

_SAMPLES = 8
_JPEG_BYTES_A_PIXEL = 0.45  # of street scenes at quality 95
_PNG_BYTES_A_PIXEL = 1.9
_RECORD_BYTES = 6_000
_TAR_BYTES = 4 * 768  # headers and padding of four members


@dataclass(frozen=True)
class DryRun:
    """A plan in numbers. `classes` are shares of pixels over the samples edited."""

    root: str
    samples: int
    shards: int
    shards_done: int
    scenes: int
    resolution: str
    bytes_estimate: int
    edited: int
    failed: tuple[str, ...]
    classes: dict[str, float]
    edits: dict[str, dict[str, int]]  # kind of edit -> {applied, not drawn, or why not: how often}
    balance: tuple[ClassShare, ...] = ()

    def as_data(self) -> dict[str, Any]:
        return vars(self) | {"balance": [vars(share) for share in self.balance]}

    def as_text(self) -> str:
        """For people."""
        done = f", {self.shards_done} of them there already" if self.shards_done else ""
        lines = [
            f"{self.samples} samples of {self.resolution} in {self.shards} shards{done}, from {self.scenes} scenes",
            f"about {byte_size(self.bytes_estimate)} at {self.root}",
            *(["balance, by drawing scenes:"] if self.balance else []),
            *(f"  {share.as_text()}" for share in self.balance),
            f"classes drawn, over {self.edited} samples edited for this estimate:",
            *(f"  {share:6.1%}  {name}" for name, share in self.classes.items()),
        ]
        lines += [f"  {op}: {_outcome(counts)}" for op, counts in self.edits.items()]
        return "\n".join([*lines, *(f"  failed: {reason}" for reason in self.failed)])


def dry_run(job: AugmentJob, store: Store) -> DryRun:
    """The plan of a job, and an estimate from a few of its samples."""
    samples, failed = _edit_some(job)
    pixels: Counter[str] = Counter()
    for sample in samples:
        pixels.update(sample.pixels)
    total = sum(pixels.values()) or 1
    return DryRun(
        root=store.url,
        samples=job.plan.num_samples,
        shards=job.plan.num_shards,
        shards_done=len(committed_shards(store)),
        scenes=len(job.plan.source_keys),
        resolution=str(job.resolution),
        bytes_estimate=job.plan.num_samples * _bytes_a_sample(job, samples),
        edited=len(samples),
        failed=tuple(failed),
        classes={name: count / total for name, count in pixels.most_common()},
        edits=edit_outcomes(json.loads(sample.edits) for sample in samples),
        balance=job.balance,
    )


def _edit_some(job: AugmentJob) -> tuple[list[EditedSample], list[str]]:
    editor = Editor(job)
    last = job.plan.num_samples - 1
    numbers = sorted({int(n) for n in np.linspace(0, last, min(_SAMPLES, last + 1))})
    slots = [editor.fill(Slot(job.plan.shard_of(n), n)) for n in numbers]
    failed = [f"{r.source_key}: {r.reason}" for slot in slots for r in slot.rejects]
    return [slot.sample for slot in slots if isinstance(slot.sample, EditedSample)], failed


def _outcome(counts: dict[str, int]) -> str:
    """`applied 3 of 8 times; skipped by its probability (4), no road to stand on (1)`."""
    words = {NOT_DRAWN: "skipped by its probability"}
    others = [f"{words.get(reason, reason)} ({count})" for reason, count in counts.items() if reason != "applied"]
    said = f"applied {counts.get('applied', 0)} of {sum(counts.values())} times"
    return f"{said}; {', '.join(others)}" if others else said


def _bytes_a_sample(job: AugmentJob, samples: list[EditedSample]) -> int:
    rate = _JPEG_BYTES_A_PIXEL if job.recipe.output.image.format == "jpeg" else _PNG_BYTES_A_PIXEL
    image = rate * job.resolution.width * job.resolution.height
    maps = [len(s.labels_png) + len(s.instances_png) + len(s.styles) + len(s.edits) for s in samples]
    return int(image + (sum(maps) / len(maps) if maps else 0) + _RECORD_BYTES + _TAR_BYTES)
