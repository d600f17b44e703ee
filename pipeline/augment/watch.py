"""What a run shows while it goes on: counted from the shards that are committed, and what is under way beside them."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestration.flight import Flight
from pipeline.augment.finishing import ShardReport
from pipeline.console import Progress, duration

QUIET_S = 60.0  # a run that commits less often than this says what it waits for


@dataclass
class Tally:
    """How a run stands, counted from the shards that are committed."""

    shards: int = 0
    samples: int = 0
    resumed_shards: int = 0
    resumed_samples: int = 0
    size: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)  # busy, by stage
    held_seconds: dict[str, float] = field(default_factory=dict)  # that workers of a stage were there, busy or not
    devices: dict[str, str] = field(default_factory=dict)  # stage -> what its workers compute on
    lost_workers: int = 0
    quarantined: int = 0

    def count(self, report: ShardReport) -> None:
        """One more shard is done."""
        self.outcomes.update(report.outcomes)
        self.seconds.update(report.seconds)
        if report.committed:
            self.shards += 1
            self.samples += report.samples
            self.size += report.size

    @property
    def note(self) -> str:
        """What is worth seeing beside the progress."""
        lost = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())]
        workers = [f"{self.lost_workers} workers lost and replaced"] if self.lost_workers else []
        return ", ".join([f"{self.shards} shards", *lost, *workers])

    @property
    def time_shares(self) -> str:
        """Where the workers' time went, the most first; empty when none was spent."""
        spent = sum(self.seconds.values())
        return ", ".join(f"{self._named(stage)} {s / spent:.0%}" for stage, s in self.seconds.most_common() if spent)

    @property
    def busy_shares(self) -> dict[str, float]:
        """Of the time that a stage had workers, how much these were busy."""
        held = {stage: seconds for stage, seconds in self.held_seconds.items() if seconds > 0}
        return {stage: min(1.0, self.seconds[stage] / seconds) for stage, seconds in held.items()}

    def _named(self, stage: str) -> str:
        return f"{stage} ({self.devices[stage]})" if stage in self.devices else stage


class Watch:
    """Shows the progress of a run, and says what it waits for when nothing comes."""

    def __init__(
        self,
        tally: Tally,
        samples: int,
        shards: int,
        progress: Progress,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tally, self._samples, self._shards, self._progress, self._now = tally, samples, shards, progress, now
        self._since = self._seen_at = now()
        self._has_begun = False

    def reported(self, report: ShardReport) -> None:
        """A shard is done."""
        self._tally.count(report)
        self._since = self._now()

    def seen(self, flight: Flight) -> None:
        """What is in flight now; called every second at least."""
        now, tally = self._now(), self._tally
        for stage, (ready, _) in flight.workers.items():
            tally.held_seconds[stage] = tally.held_seconds.get(stage, 0.0) + ready * (now - self._seen_at)
        self._seen_at = now
        tally.lost_workers, tally.quarantined = flight.deaths, flight.quarantined
        if not self._has_begun and all(ready for ready, _ in flight.workers.values()):
            self._has_begun, self._since = True, now
            self._progress.begin()
        note = f"{tally.note}; {self._doing(flight, now - self._since)}"
        self._progress.set(tally.samples, self._samples, note, self._facts(flight))

    def _doing(self, flight: Flight, quiet_s: float) -> str:
        if quiet_s >= QUIET_S:
            return f"no shard for {duration(quiet_s)}: {flight.as_text()}"
        if not self._has_begun:
            return "workers are starting"
        if flight.oldest is None:
            return "finishing"
        return f"{flight.oldest}, begun {duration(flight.since_s)} ago, in {flight.stage}"

    def _facts(self, flight: Flight) -> dict[str, Any]:
        return {
            "shards": self._tally.shards,
            "planned_shards": self._shards,
            "rejects": dict(self._tally.outcomes),
            "lost_workers": flight.deaths,
            "quarantined": flight.quarantined,
            "oldest_shard": flight.oldest,
            "oldest_stage": flight.stage,
            "oldest_s": round(flight.since_s, 1),
            "in_flight": flight.in_flight,
            "workers": {stage: ready for stage, (ready, _) in flight.workers.items()},
        }
