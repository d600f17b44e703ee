"""How a run stands, told from its output alone: from any machine, while it runs and after it died."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.augment.lease import Owner, read_owner
from pipeline.console import duration
from pipeline.errors import InputError
from pipeline.plan_record import PlanRecord, read_plan_record
from pipeline.shards import layout
from pipeline.shards.commit import committed_shards, read_markers
from pipeline.storage import Store

_RECENT = 10  # commits that the rate is told from: a run that paused, or got more workers, is judged by now


class State(StrEnum):
    """What became of a run."""

    COMPLETE = "complete"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RunStatus:
    """What storage says of a run."""

    url: str
    state: State
    plan: PlanRecord
    shards: int
    samples: int
    size: int
    rejects: dict[str, int]  # by outcome
    last_commit_s: float | None  # how long ago
    samples_per_s: float | None  # lately; None before two shards are there
    owner: Owner | None

    @property
    def left_s(self) -> float | None:
        """Seconds to go at the rate of late; None where nothing is at work or no rate is known."""
        if self.state is not State.RUNNING or not self.samples_per_s:
            return None
        return (self.plan.samples - self.samples) / self.samples_per_s

    def as_text(self) -> str:
        """For a person."""
        lines = [
            f"{self.url}: {self.state}",
            f"shards   {self.shards} of {self.plan.shards}",
            f"samples  {self.samples} of {self.plan.samples}, {self.size / 1e6:.1f} MB",
        ]
        if self.rejects:
            lines.append("rejects  " + ", ".join(f"{count} {outcome}" for outcome, count in self.rejects.items()))
        if self.last_commit_s is not None:
            lines.append(f"latest   a shard {duration(self.last_commit_s)} ago{self._rate()}")
        lines.append(f"owner    {self._ownership()}")
        if self.state is State.STOPPED:
            lines.append("run the same synthgen augment again to go on where it stopped")
        return "\n".join(lines)

    def as_data(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "root": self.url,
            "state": self.state,
            "shards": self.shards,
            "planned_shards": self.plan.shards,
            "samples": self.samples,
            "planned_samples": self.plan.samples,
            "bytes": self.size,
            "rejects": self.rejects,
            "last_commit_s": self.last_commit_s,
            "samples_per_s": self.samples_per_s,
            "left_s": self.left_s,
            "owner": None if self.owner is None else self._owner_data(self.owner),
        }

    def _rate(self) -> str:
        rate = f", {self.samples_per_s:.3g} samples/s lately" if self.samples_per_s else ""
        return rate + (f", {duration(self.left_s)} left" if self.left_s is not None else "")

    def _ownership(self) -> str:
        if self.owner is None:
            return "nobody is at work"
        heard = f"{self.owner}, last heard of {duration(self.owner.age_s)} ago"
        return heard if self.owner.alive else f"{heard}: dead"

    @staticmethod
    def _owner_data(owner: Owner) -> dict[str, Any]:
        return {
            "user": owner.user,
            "host": owner.host,
            "pid": owner.pid,
            "heartbeat_age_s": owner.age_s,
            "alive": owner.alive,
        }


def read_status(store: Store) -> RunStatus:
    """The state of the run that writes, or wrote, here. InputError where there is none."""
    plan = read_plan_record(store)
    if plan is None:
        raise InputError(f"{store.url}: no data set here (no {layout.PLAN})")
    owner = read_owner(store)
    markers = list(read_markers(store, committed_shards(store)))
    times = store.times(layout.COMMITS)
    # A marker that came between the two listings is missing in neither: it counts from now.
    commits = [(times.get(layout.marker_path(m.shard), time.time()), m.samples) for m in markers]
    return RunStatus(
        url=store.url,
        state=_state(store, owner),
        plan=plan,
        shards=len(markers),
        samples=sum(marker.samples for marker in markers),
        size=sum(marker.size for marker in markers),
        rejects=dict(sorted(Counter(reject["outcome"] for marker in markers for reject in marker.rejects).items())),
        last_commit_s=max(0.0, time.time() - max(commits)[0]) if commits else None,
        samples_per_s=recent_rate(commits),
        owner=owner,
    )


def recent_rate(commits: Sequence[tuple[float, int]]) -> float | None:
    """Samples a second over the last few commits, each (when, samples). None before there are two at two times."""
    latest = sorted(commits)[-_RECENT - 1 :]
    if len(latest) < 2 or latest[-1][0] <= latest[0][0]:
        return None
    # The first of them was made before the time that is counted.
    return sum(samples for _, samples in latest[1:]) / (latest[-1][0] - latest[0][0])


def _state(store: Store, owner: Owner | None) -> State:
    if owner is not None and owner.alive:
        return State.RUNNING
    return State.COMPLETE if store.exists(layout.DATASET) else State.STOPPED
