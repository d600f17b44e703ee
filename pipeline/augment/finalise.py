"""What can only be written when every shard is there: manifest, index, rejects, card, preview, report, dataset.json.

All of it is derived from shards, markers and recipe, so that it may be written again after a crash; dataset.json, which
says that the data set is complete, comes last.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from pipeline.augment.gate import kept_real_agreement
from pipeline.augment.job import AugmentJob
from pipeline.augment.manifest import Manifest
from pipeline.augment.preview import shown_samples
from pipeline.augment.rows import Outcome
from pipeline.augment.statistics import add_statistics, never_applied
from pipeline.preview import preview_sheet, shown_on_page
from pipeline.report.card import dataset_card
from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.html import run_report
from pipeline.report.summary import ClassCounts, RunSummary
from pipeline.shards import layout
from pipeline.shards.commit import Marker, read_markers
from pipeline.shards.pixels import IMAGE_FIELDS
from pipeline.storage import Store

_SHOWN_FAILURES = 100
_LEAST_OF_REAL = 0.6  # of the agreement of real pairs


def finalise(
    job: AugmentJob,
    store: Store,
    seconds: dict[str, float],
    wall_seconds: float,
    recipe_text: str,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Complete the data set; `tell` is told where edits never fitted, or images show too little of their labels."""
    markers = list(read_markers(store, [shard.id for shard in job.plan.shards()]))
    store.write_atomic(layout.MANIFEST, Manifest(job.source.catalog).merge(store, [m.shard for m in markers]))
    store.write_atomic(layout.REJECTS, _lines(reject for marker in markers for reject in marker.rejects))
    store.write_atomic(layout.WIDS_INDEX, _as_file(_wids_index(markers)))
    statistics = _total(markers)
    real = kept_real_agreement(job, store)
    summary = _summary(job, markers, statistics, seconds, wall_seconds, recipe_text, real)
    for warning in filter(None, (*never_applied(statistics.get("edits", {})), _shows_little(summary))):
        tell(warning)
    shown = shown_samples(job, store, next(m.shard for m in markers if m.samples))
    store.write_atomic(layout.PREVIEW, encode_jpeg(preview_sheet(shown)))
    image_field = IMAGE_FIELDS[job.recipe.output.image.format]
    store.write_atomic(layout.CARD, dataset_card(summary, image_field).encode())
    store.write_atomic(layout.REPORT, run_report(summary, shown_on_page(shown)).encode())
    store.write_atomic(layout.DATASET, _as_file(_dataset(job, store, markers, statistics)))


def _dataset(job: AugmentJob, store: Store, markers: Sequence[Marker], statistics: dict[str, Any]) -> dict[str, Any]:
    """dataset.json."""
    return {
        "format": 1,
        "name": job.recipe.name,
        "plan": job.plan_fingerprint,
        "recipe": job.recipe.as_data() | {"output": _without_place(job)},
        "catalog": job.source.catalog.model_dump(mode="json"),
        "model": _model(job),
        "resolution": str(job.resolution),
        "image": job.recipe.output.image.format,
        "split": job.plan.split,
        "samples": sum(marker.samples for marker in markers),
        "bytes": sum(marker.size for marker in markers),
        "statistics": statistics,
        "balance": _balance(job, statistics),
        "versions": _versions(),
        "manifest_sha256": hashlib.sha256(store.read(layout.MANIFEST)).hexdigest(),
        "shards": [
            {"name": f"{m.shard}.tar", "sha256": m.sha256, "size": m.size, "samples": m.samples} for m in markers
        ],
    }


def _model(job: AugmentJob) -> dict[str, Any]:
    said = {"family": job.model.card.family, "fingerprint": job.model.fingerprint}
    teachers = job.model.card.training.teachers
    return said | ({"teachers": teachers} if teachers else {})


def _balance(job: AugmentJob, statistics: dict[str, Any]) -> list[dict[str, Any]]:
    """How near the data set came to the shares asked for: in the source, in the plan, and as it was made."""
    if job.recipe.balance is None:
        return []
    made = statistics[job.recipe.balance.by]
    total = sum(made.values()) or 1
    return [vars(share) | {"made": made.get(share.name, 0) / total} for share in job.balance]


def _without_place(job: AugmentJob) -> dict[str, Any]:
    """A data set may move: where it was written is nothing it should say of itself."""
    output: dict[str, Any] = job.recipe.as_data()["output"]
    return {key: value for key, value in output.items() if key != "root"}


def _summary(
    job: AugmentJob,
    markers: Sequence[Marker],
    statistics: dict[str, Any],
    seconds: dict[str, float],
    wall_seconds: float,
    recipe_text: str,
    real_agreement: float | None,
) -> RunSummary:
    source = job.recipe.source.model_dump(mode="json", by_alias=True)
    rejects = [reject for marker in markers for reject in marker.rejects]
    agreement = statistics.get("agreement", {})
    return RunSummary(
        name=job.recipe.name,
        recipe_text=recipe_text,
        catalog=job.source.catalog,
        samples=sum(marker.samples for marker in markers),
        shards=len(markers),
        num_bytes=sum(marker.size for marker in markers),
        width=job.resolution.width,
        height=job.resolution.height,
        splits={job.plan.split: f"{layout.SHARDS}/{job.plan.split}-*.tar"},
        before=ClassCounts(statistics["source_pixels"], statistics["source_instances"]),
        after=ClassCounts(statistics["pixels"], statistics["instances"]),
        edits=statistics["edits"],
        rejected=_count_reasons(rejects),
        failed=[reject for reject in rejects if reject["outcome"] == "failed"][:_SHOWN_FAILURES],
        stage_seconds=seconds,
        wall_seconds=wall_seconds,
        attributes=statistics["attributes"],
        agreement=[float(value) for value, count in agreement.items() for _ in range(count)],
        real_agreement=real_agreement,
        seen_pixels=statistics["seen_pixels"],
        source=source,
        model={"url": job.model.url, "family": job.model.card.family, "fingerprint": job.model.fingerprint},
        versions=_versions(),
    )


def _shows_little(summary: RunSummary) -> str:
    """What `seen.png` cannot tell, which is void only where a label surprises more than is usual in these images."""
    if summary.real_agreement is None or not summary.agreement:
        return ""
    mean = sum(summary.agreement) / len(summary.agreement)
    if mean >= _LEAST_OF_REAL * summary.real_agreement:
        return ""
    return (
        f"a segmenter finds {mean:.0%} of these label maps again, and {summary.real_agreement:.0%} in real images that "
        "it learned from: training with this data set may teach wrong labels; train the generator longer, or set "
        "quality.min_agreement"
    )


def _count_reasons(rejects: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reject in rejects:
        reason = _reason(reject)
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _reason(reject: dict[str, Any]) -> str:
    if reject["outcome"] == Outcome.FAILED:
        return str(reject["outcome"])
    # What stands behind the colon of a rejection is the agreement of that one sample.
    why = reject["reason"].partition(": ")[0] if reject["outcome"] == Outcome.REJECTED else reject["reason"]
    return f"{reject['outcome']}: {why}"


def _total(markers: Sequence[Marker]) -> dict[str, Any]:
    counted = ("pixels", "instances", "source_pixels", "source_instances", "seen_pixels")
    names = (*counted, "edits", "attributes", "agreement")
    total: dict[str, Any] = {name: {} for name in names}
    for marker in markers:
        add_statistics(total, marker.statistics)
    return total


def _wids_index(markers: Sequence[Marker]) -> dict[str, Any]:
    """The index that `wids` readers take for random access."""
    return {
        "__kind__": "wids-shard-index-v1",
        "wids_version": 1,
        "shardlist": [
            {
                "url": f"../{layout.shard_path(m.shard)}",
                "nsamples": m.samples,
                "filesize": m.size,
                "sha256": m.sha256,
            }
            for m in markers
        ],
    }


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("synthgen", "torch", "numpy", "opencv-python-headless", "ray")}


def _as_file(data: dict[str, Any]) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _lines(rejects: Any) -> bytes:
    return b"".join(json.dumps(reject, sort_keys=True, ensure_ascii=False).encode() + b"\n" for reject in rejects)
