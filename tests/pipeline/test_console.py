"""Progress as lines, for people and for machines."""

import json

import pytest

from pipeline import console as module
from pipeline.console import Console, ProgressMode


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", lambda: clock.now)
    return clock


def test_a_line_every_ten_seconds_and_one_at_the_end(clock, capsys):
    with Console(mode=ProgressMode.LINES).progress("augment", 100, "samples") as progress:
        progress.set(20, note="5 shards")
        for _ in range(20):
            clock.now += 1
            progress.set(20, note=f"5 shards; s-000005 in edit for {clock.now - 100:.0f} s")
        progress.set(24, note="6 shards")
    assert capsys.readouterr().err.splitlines() == [
        "augment: 20/100 samples, 5 shards; s-000005 in edit for 10 s",
        "augment: 20/100 samples, 5 shards; s-000005 in edit for 20 s",
        "augment: 24/100 samples, 6 shards",
    ]


def test_rates_and_what_is_left_come_once_the_work_has_begun(clock, capsys):
    with Console(mode=ProgressMode.LINES).progress("augment", 100, "samples") as progress:
        progress.set(20)  # there from an earlier run
        clock.now += 300
        progress.begin()
        for done in (40, 60):
            clock.now += 10
            progress.set(done)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "augment: 60/100 samples, 2/s, 20 s left"


def test_machines_get_one_object_a_line_with_the_facts_beside(clock, capsys):
    with Console(mode=ProgressMode.JSON).progress("augment", 100, "samples") as progress:
        progress.begin()
        clock.now += 10
        progress.set(50, note="2 shards", facts={"shards": 2, "oldest_shard": "s-000002"})
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {
        "progress": "augment",
        "done": 50,
        "total": 100,
        "elapsed_s": 10.0,
        "per_s": 5.0,
        "per_s_average": 5.0,
        "left_s": 10.0,
        "shards": 2,
        "oldest_shard": "s-000002",
        "note": "2 shards",
    }


def test_a_bar_shows_the_same(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Console(mode=ProgressMode.BAR).progress("augment", 10) as progress:
        progress.set(2, note="1 shards")
        progress.begin()
        progress.advance(3, note="2 shards")
    shown = capsys.readouterr().err
    assert "5/10" in shown
    assert "2 shards" in shown


def test_what_goes_on_beside_a_bar_writes_lines():
    assert Console(mode=ProgressMode.BAR).beside_a_bar().mode is ProgressMode.LINES
    assert Console(mode=ProgressMode.JSON).beside_a_bar().mode is ProgressMode.JSON
