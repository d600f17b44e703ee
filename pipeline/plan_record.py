"""plan.json: what a data set is made of, so that a later run can tell whether it continues the same one."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import RunError, StorageError
from pipeline.plan import Plan
from pipeline.recipe import Recipe
from pipeline.shards import layout
from pipeline.storage import Store

SCHEMA_VERSION = 1  # raised when the same inputs would give other samples
_MOST_DIFFERENCES = 12


class PlanRecord(BaseModel):
    """The identity of a plan. Two runs with the same fingerprint make the same data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    recipe: dict[str, Any]
    model: str  # fingerprint of weights and styles
    source: str  # fingerprint of what the source lists
    resolution: str
    samples: int
    shards: int
    slots: str  # hash over scene and variant of every slot
    judge: str = ""  # fingerprint of what the quality gate asks: its settings, and what it learns from

    @classmethod
    def of(cls, recipe: Recipe, plan: Plan, model: str, source: str, resolution: str, judge: str = "") -> "PlanRecord":
        """The record of a plan; where the data set goes and which failures are borne is no part of it."""
        data = recipe.as_data()
        for key in ("model", "on_error"):
            del data[key]
        del data["output"]["root"]
        return cls(
            recipe=data,
            model=model,
            source=source,
            resolution=resolution,
            samples=plan.num_samples,
            shards=plan.num_shards,
            slots=plan.digest(),
            judge=judge,
        )

    def fingerprint(self) -> str:
        """A hash of everything in it."""
        said = json.dumps(self._said(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def to_json(self) -> bytes:
        """The bytes of plan.json."""
        return json.dumps({"fingerprint": self.fingerprint(), **self._said()}, indent=1).encode()

    def _said(self) -> dict[str, Any]:
        """Everything in it; a plan without a gate says nothing of a judge, as plans did before there were any."""
        said = self.model_dump(mode="json")
        return said if self.judge else {key: value for key, value in said.items() if key != "judge"}


def read_plan_record(store: Store) -> PlanRecord | None:
    """The plan of a data set, None where there is none yet. StorageError when plan.json is something else."""
    if not store.exists(layout.PLAN):
        return None
    try:
        data = json.loads(store.read(layout.PLAN))
        fingerprint = data.pop("fingerprint")
        record = PlanRecord.model_validate(data)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StorageError(f"{store.place(layout.PLAN)}: not a plan; was it written by something else?") from None
    if record.fingerprint() != fingerprint:
        raise StorageError(f"{store.place(layout.PLAN)}: changed by hand: its fingerprint does not fit its content")
    return record


def settle_plan(store: Store, record: PlanRecord) -> None:
    """Write plan.json, or agree with the one that is there. RunError shows in what they differ."""
    standing = read_plan_record(store)
    if standing is None:
        if not store.create_exclusive(layout.PLAN, record.to_json()):
            settle_plan(store, record)
        return
    _check_same(store, standing, record)


def check_plan(store: Store, record: PlanRecord) -> None:
    """RunError where `settle_plan` would refuse; writes nothing."""
    standing = read_plan_record(store)
    if standing is not None:
        _check_same(store, standing, record)


def _check_same(store: Store, standing: PlanRecord, record: PlanRecord) -> None:
    if standing.fingerprint() != record.fingerprint():
        lines = differences(standing, record)
        raise RunError(
            "\n".join(
                [f"{store.url}: holds a data set made from other inputs; give another output.root, or undo:", *lines]
            )
        )


def differences(standing: PlanRecord, wanted: PlanRecord) -> list[str]:
    """In what two plans differ, a line each."""
    old, new = (dict(_flat(record.model_dump(mode="json"))) for record in (standing, wanted))
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    derived = [key for key in keys if key in ("slots", "samples", "shards")]
    telling = [key for key in keys if key not in derived] or derived
    lines = [f"  {key}: was {_shown(old, key)}, now {_shown(new, key)}" for key in telling[:_MOST_DIFFERENCES]]
    left = len(telling) - len(lines)
    return [*lines, f"  and {left} more"] if left else lines


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _flat(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, below in enumerate(value):
            yield from _flat(below, f"{path}[{index}]")
    else:
        yield path, value


def _shown(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "not there"
    text = json.dumps(values[key], ensure_ascii=False)
    return f"{text[:13]}…" if key in ("model", "source", "slots", "judge") else text
