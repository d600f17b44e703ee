"""Time estimates: measured from the first steps, not from the start of a command or of an earlier run."""

import json

import pytest

from pipeline import console as console_module
from pipeline.console import Console, ProgressMode


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(console_module, "time", clock)
    return clock


def test_starting_up_does_not_count(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(mode=ProgressMode.LINES).progress("training", 100, "steps") as steps:
        clock.now = 60.0  # a minute until the first step
        steps.set(1)
        clock.now = 70.0
        steps.set(11)
        line = capsys.readouterr().err.splitlines()[-1]
        assert line == "training: 11/100 steps, 1/s, 1 min 29 s left"


def test_what_an_earlier_run_did_does_not_count(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(mode=ProgressMode.LINES).progress("training", 1000, "steps") as steps:
        clock.now = 5.0
        steps.set(900)
        clock.now = 15.0
        steps.set(905)
        assert capsys.readouterr().err.splitlines()[-1] == "training: 905/1000 steps, 0.5/s, 3 min 10 s left"


def test_one_step_alone_tells_no_speed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(mode=ProgressMode.LINES).progress("training", 100, "steps") as steps:
        clock.now = 30.0
        steps.set(1)
        assert capsys.readouterr().err == "training: 1/100 steps\n"


def test_machines_are_told_the_time_since_the_start(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Console(mode=ProgressMode.JSON).progress("training", 100, "steps") as steps:
        clock.now = 30.0
        steps.set(1)
        assert json.loads(capsys.readouterr().err)["elapsed_s"] == 30.0
