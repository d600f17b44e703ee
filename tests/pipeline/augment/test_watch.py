"""What a run shows while it goes on, and when it does not."""

import pytest

from orchestration.flight import Flight
from pipeline.augment.finishing import ShardReport
from pipeline.augment.watch import Tally, Watch

READY = {"edit": (1, 1), "render": (2, 2), "commit": (1, 1)}


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A progress that keeps what it was told."""

    def __init__(self):
        self.begun, self.done, self.note, self.facts = 0, 0, "", {}

    def begin(self):
        self.begun += 1

    def set(self, done, total=None, note="", facts=None):
        self.done, self.note, self.facts = done, note, facts


def flight(oldest="s-000001", stage="render", since_s=3.0, workers=READY, **other) -> Flight:
    said = {"in_flight": 2, "waiting": 1, "deaths": 0, "quarantined": 0, **other}
    return Flight(oldest, stage, since_s, workers=workers, **said)


def report(shard: str, **other) -> ShardReport:
    said = {"committed": True, "samples": 4, "size": 100, "outcomes": {}, "failures": (), "seconds": {}, **other}
    return ShardReport(shard=shard, **said)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def watch(clock, shown, tally) -> Watch:
    return Watch(tally, 12, 3, shown, clock)


def test_a_run_that_goes_on_says_where_its_oldest_shard_is(watch, shown):
    watch.reported(report("s-000000", outcomes={"failed": 1}))
    watch.seen(flight())
    assert (shown.done, shown.note) == (4, "1 shards, 1 failed; s-000001, begun 3 s ago, in render")


def test_machines_are_told_the_same_as_data(watch, shown):
    watch.reported(report("s-000000", outcomes={"failed": 1}))
    watch.seen(flight(deaths=2, quarantined=1))
    assert shown.facts == {
        "shards": 1,
        "planned_shards": 3,
        "rejects": {"failed": 1},
        "lost_workers": 2,
        "quarantined": 1,
        "oldest_shard": "s-000001",
        "oldest_stage": "render",
        "oldest_s": 3.0,
        "in_flight": 2,
        "workers": {"edit": 1, "render": 2, "commit": 1},
    }


def test_the_work_begins_when_every_stage_has_a_worker(watch, shown):
    watch.seen(flight(workers={**READY, "render": (0, 2)}))
    assert (shown.begun, shown.note) == (0, "0 shards; workers are starting")
    watch.seen(flight())
    watch.seen(flight())
    assert shown.begun == 1


def test_silence_names_the_shard_and_the_stage_that_are_waited_for(watch, shown, clock):
    watch.seen(flight())
    clock.now = 75
    watch.seen(flight(since_s=75))
    assert shown.note == ("0 shards; no shard for 1 min 15 s: the oldest shard in flight, s-000001, is in stage render")
    watch.reported(report("s-000001"))
    watch.seen(flight("s-000002", "edit", 75.0))
    assert shown.note == "1 shards; s-000002, begun 1 min 15 s ago, in edit"


def test_silence_without_a_worker_says_so(watch, shown, clock):
    clock.now = 60
    watch.seen(flight(workers={**READY, "render": (0, 8)}))
    assert shown.note == (
        "0 shards; no shard for 1 min 00 s: no worker is ready for render (0 of 8): starting, or no room in the cluster"
    )


def test_the_summary_tells_where_the_time_went_and_on_what():
    assert Tally().time_shares == ""
    tally = Tally(devices={"edit": "CPU", "render": "GPU", "commit": "CPU"})
    tally.seconds.update({"edit": 1.0, "render": 2.5, "commit": 0.5})
    assert tally.time_shares == "render (GPU) 62%, edit (CPU) 25%, commit (CPU) 12%"


def test_a_stage_is_busy_for_its_share_of_the_time_that_it_had_workers(watch, tally, clock):
    watch.seen(flight())
    clock.now = 10
    watch.seen(flight())  # one worker edits and two render, for ten seconds
    watch.reported(report("s-000000", seconds={"edit": 5.0, "render": 15.0}))
    assert tally.busy_shares == {"edit": 0.5, "render": 0.75, "commit": 0.0}


def test_lost_workers_are_told_beside_the_rejects(watch, tally):
    watch.seen(flight(deaths=2))
    assert tally.note == "0 shards, 2 workers lost and replaced"
