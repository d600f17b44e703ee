"""What a shard counts: pixels and instances before and after the edits, what edits came to, the looks drawn."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from label_editing.edits.base import NO_INSTANCES, NOT_DRAWN
from pipeline.augment.rows import RenderedSample
from pipeline.shards.sample import NOT_MEASURED
from pipeline.styles.bank import StyleBank

Counts = dict[str, int]


def shard_statistics(samples: Sequence[RenderedSample], bank: StyleBank) -> dict[str, Any]:
    """Counts of one shard, plain data; `add_statistics` adds those of many."""
    edited = [sample.edited for sample in samples]
    return {
        "pixels": _sum(sample.pixels for sample in edited),
        "instances": _sum(_classes(json.loads(sample.instances)) for sample in edited),
        "source_pixels": _sum(sample.source_pixels for sample in edited),
        "source_instances": _sum(sample.source_instances for sample in edited),
        "edits": edit_outcomes(json.loads(sample.edits) for sample in edited),
        "agreement": _agreement(samples),
        "seen_pixels": _sum(sample.seen_pixels for sample in samples),
        "attributes": _attributes((json.loads(sample.styles) for sample in edited), bank),
    }


def add_statistics(total: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add nested counts in place."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            add_statistics(total.setdefault(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value


def _sum(counts: Iterable[Mapping[str, int]]) -> Counts:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _classes(instances: Sequence[Mapping[str, Any]]) -> Counts:
    return dict(Counter(str(found["class"]) for found in instances))


def _agreement(samples: Sequence[RenderedSample]) -> Counts:
    """Samples by agreement, to the hundredth; nothing where none was measured."""
    measured = (sample.agreement for sample in samples if sample.agreement != NOT_MEASURED)
    return dict(Counter(f"{agreement:.2f}" for agreement in measured))


def never_applied(outcomes: Mapping[str, Counts]) -> list[str]:
    """A word of warning for each kind of edit that was tried and never fitted."""
    warnings = []
    for op, counts in outcomes.items():
        refused = {reason: count for reason, count in counts.items() if reason not in ("applied", NOT_DRAWN)}
        if refused and "applied" not in counts:
            reason = max(refused, key=lambda reason: refused[reason])
            hint = "; sources that can find objects in their label maps take instances: components"
            warnings.append(f"{op} was never applied: {reason}{hint if reason.endswith(NO_INSTANCES) else ''}")
    return warnings


def edit_outcomes(records_of_samples: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, Counts]:
    """Kind of edit -> {applied, not drawn, or why not: how often}."""
    outcomes: dict[str, Counter[str]] = {}
    for records in records_of_samples:
        for record in records:
            outcome = "applied" if record["applied"] else record.get("reason", "not applied")
            outcomes.setdefault(record["op"], Counter())[outcome] += 1
    return {op: dict(counts) for op, counts in outcomes.items()}


def _attributes(records_of_samples: Iterable[Sequence[Mapping[str, Any]]], bank: StyleBank) -> dict[str, Counts]:
    """Attribute -> value -> samples, by the training images that lent their look."""
    found: dict[str, Counter[str]] = {}
    for records in records_of_samples:
        lenders = {bank.image_index[record["image"]] for record in records if record["image"] in bank.image_index}
        pairs = {pair for image in lenders for pair in bank.image_attributes[image].items()}
        for name, value in pairs:
            found.setdefault(name, Counter())[value] += 1
    return {name: dict(counts) for name, counts in found.items()}
