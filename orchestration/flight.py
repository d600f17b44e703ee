"""What is under way in a run, for those who watch it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Flight:
    """The shards in flight at one moment. `workers` says of each stage how many are ready, and how many should be."""

    oldest: str | None
    stage: str  # that the oldest is in
    since_s: float  # how long it has been in flight
    in_flight: int
    waiting: int  # shards not begun
    deaths: int  # workers that died and were replaced
    quarantined: int  # rows that killed workers and were put aside
    workers: Mapping[str, tuple[int, int]]

    def as_text(self) -> str:
        """What is waited for."""
        starting = [f"{stage} ({ready} of {target})" for stage, (ready, target) in self.workers.items() if not ready]
        if starting:
            return f"no worker is ready for {', '.join(starting)}: starting, or no room in the cluster"
        if self.oldest is None:
            return "nothing in flight"
        return f"the oldest shard in flight, {self.oldest}, is in stage {self.stage}"
