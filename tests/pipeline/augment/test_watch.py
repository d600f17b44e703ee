import threading

import pytest

from pipeline.augment import watch as watching_module
from pipeline.augment.run import Tally
from pipeline.augment.watch import Watch, watching


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_run_that_goes_on_is_left_alone(clock):
    watch = Watch(["a", "b", "c"], clock)
    for _ in range(3):
        clock.now += 59
        assert watch.complaint() == ""
        watch.reported()


def test_silence_names_the_oldest_shard_in_flight(clock):
    watch = Watch(["a", "b", "c"], clock)
    clock.now = 75
    assert watch.complaint() == "no shard for 1 min 15 s: waiting for a and 2 after it"
    watch.reported()
    assert watch.complaint() == ""
    watch.reported()
    clock.now = 135
    assert watch.complaint() == "no shard for 1 min 00 s: waiting for c"


def test_nothing_is_waited_for_once_all_is_done(clock):
    watch = Watch(["a"], clock)
    watch.reported()
    clock.now = 1000
    assert watch.complaint() == ""


def test_complaints_come_by_themselves(monkeypatch, clock):
    monkeypatch.setattr(watching_module, "QUIET_S", 0.01)
    heard, told = threading.Event(), []

    def tell(complaint: str) -> None:
        told.append(complaint)
        heard.set()

    watch = Watch(["a"], clock)
    clock.now = 5
    with watching(watch, tell):
        assert heard.wait(10)
    assert told[0] == "no shard for 5 s: waiting for a"


def test_the_summary_tells_where_the_time_went():
    assert Tally().time_shares == ""
    tally = Tally()
    tally.seconds.update({"edit": 1.0, "render": 2.5, "commit": 0.5})
    assert tally.time_shares == "render 62%, edit 25%, commit 12%"
