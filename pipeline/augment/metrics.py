"""What a run tells Prometheus, through the endpoint that every Ray node has."""

from orchestration.flight import Flight
from orchestration.meters import Meters
from pipeline.augment.finishing import ShardReport

DESCRIPTIONS = {
    "synthgen_samples": "samples committed",
    "synthgen_shards": "shards committed",
    "synthgen_bytes": "bytes of shards committed",
    "synthgen_rejects": "samples not kept, by outcome",
    "synthgen_stage_seconds": "seconds that workers were busy, by stage",
    "synthgen_lost_workers": "workers that died and were replaced",
    "synthgen_shards_in_flight": "shards under way",
    "synthgen_oldest_shard_seconds": "how long the oldest shard under way has been so",
    "synthgen_workers": "workers that are ready, by stage",
}


class RunMetrics:
    """The meters of one run."""

    def __init__(self, recipe: str) -> None:
        self._meters = Meters(DESCRIPTIONS, {"recipe": recipe})
        self._deaths = 0

    def reported(self, report: ShardReport) -> None:
        """A shard is done."""
        if report.committed:
            self._meters.count("synthgen_shards", 1)
            self._meters.count("synthgen_samples", report.samples)
            self._meters.count("synthgen_bytes", report.size)
        for outcome, number in report.outcomes.items():
            self._meters.count("synthgen_rejects", number, outcome=outcome)
        for stage, seconds in report.seconds.items():
            self._meters.count("synthgen_stage_seconds", seconds, stage=stage)

    def seen(self, flight: Flight) -> None:
        """What is under way."""
        self._meters.count("synthgen_lost_workers", flight.deaths - self._deaths)
        self._deaths = flight.deaths
        self._meters.show("synthgen_shards_in_flight", flight.in_flight)
        self._meters.show("synthgen_oldest_shard_seconds", flight.since_s)
        for stage, (ready, _) in flight.workers.items():
            self._meters.show("synthgen_workers", ready, stage=stage)
