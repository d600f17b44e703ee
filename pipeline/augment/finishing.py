"""The last step of a shard: its tar, its manifest rows, its statistics, and the commit."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.augment.failures import FailureLimit
from pipeline.augment.job import AugmentJob
from pipeline.augment.lease import Claim
from pipeline.augment.manifest import Manifest
from pipeline.augment.rows import EditedSample, Outcome, Reject, RenderedSample, Slot
from pipeline.augment.statistics import shard_statistics
from pipeline.shards.commit import Marker, commit_shard, sha256_of
from pipeline.shards.pixels import IMAGE_FIELDS
from pipeline.shards.sample import (
    INSTANCES_FIELD,
    LABELS_FIELD,
    RECORD_FIELD,
    SEEN_FIELD,
    Encoded,
    SampleRecord,
    as_json,
)
from pipeline.shards.tar import build_tar
from pipeline.storage import Store


@dataclass(frozen=True)
class ShardReport:
    """What comes back to the driver: small whatever the shard holds."""

    shard: str
    committed: bool
    samples: int
    size: int
    outcomes: dict[str, int]  # rejects by outcome
    failures: tuple[Reject, ...]  # the first few, for messages
    seconds: dict[str, float]


COMMIT = "commit"
_SHOWN_FAILURES = 5


class Finisher:
    """Commits whole shards."""

    def __init__(self, job: AugmentJob, store: Store, claim: Claim) -> None:
        self._job = job
        self._store = store
        self._claim = claim
        self._manifest = Manifest(job.source.catalog)

    def __call__(self, shard: str, slots: list[Slot]) -> ShardReport:
        """Commit the shard, unless too much of it failed."""
        started = time.perf_counter()
        rejects = [reject for slot in slots for reject in slot.rejects]
        rendered = [slot.sample for slot in slots if isinstance(slot.sample, RenderedSample)]
        failed = sum(reject.outcome is Outcome.FAILED for reject in rejects)
        limit = FailureLimit.of(self._job.recipe.on_error, self._job.plan.num_samples)
        size = 0 if limit.exceeded(failed) else self._commit(shard, rendered, rejects).size
        seconds = Counter({COMMIT: time.perf_counter() - started})
        for slot in slots:
            seconds.update(slot.seconds)
        return ShardReport(
            shard=shard,
            committed=not limit.exceeded(failed),
            samples=len(rendered),
            size=size,
            outcomes=dict(Counter(reject.outcome.value for reject in rejects)),
            failures=tuple(r for r in rejects if r.outcome is Outcome.FAILED)[:_SHOWN_FAILURES],
            seconds=dict(seconds),
        )

    def _commit(self, shard: str, rendered: Sequence[RenderedSample], rejects: Sequence[Reject]) -> Marker:
        records = [self._record(sample) for sample in rendered]
        image_field = IMAGE_FIELDS[self._job.recipe.output.image.format]
        encoded = [_encode(s, r, image_field) for s, r in zip(rendered, records, strict=True)]
        tar, rows = build_tar(encoded), self._manifest.rows(shard, records)
        marker = Marker(
            shard=shard,
            plan=self._job.plan_fingerprint,
            sha256=sha256_of(tar),
            size=len(tar),
            samples=len(encoded),
            rows_sha256=sha256_of(rows),
            statistics=shard_statistics(rendered, self._job.bank),
            rejects=tuple(reject.as_data() for reject in rejects),
        )
        return commit_shard(self._store, marker, tar, rows, self._claim.check)

    def _record(self, sample: RenderedSample) -> SampleRecord:
        job, edited = self._job, sample.edited
        return SampleRecord(
            key=edited.spec.key,
            source=as_json(job.recipe.source.model_dump(mode="json", by_alias=True)),
            source_key=edited.spec.source_key,
            split=job.plan.split,
            catalog=job.source.catalog.name,
            recipe=job.recipe.name,
            recipe_fingerprint=job.recipe_fingerprint,
            seed=edited.spec.seed,
            variant=edited.spec.variant,
            model=job.model.name,
            model_fingerprint=job.model.fingerprint,
            width=job.resolution.width,
            height=job.resolution.height,
            agreement=sample.agreement,
            edits=edited.edits,
            styles=edited.styles,
            instances=edited.instances,
            pixels=as_json(edited.pixels),
        )


def _encode(sample: RenderedSample, record: SampleRecord, image_field: str) -> Encoded:
    edited: EditedSample = sample.edited
    fields: dict[str, Any] = {
        image_field: sample.image,
        LABELS_FIELD: edited.labels_png,
        INSTANCES_FIELD: edited.instances_png,
        RECORD_FIELD: record.to_json(),
    }
    if sample.seen_png is not None:
        fields[SEEN_FIELD] = sample.seen_png
    return Encoded(record.key, fields)
