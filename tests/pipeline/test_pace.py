import pytest

from pipeline.pace import Pace


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_starting_up_is_no_part_of_the_rate(clock):
    pace = Pace(clock)
    pace.reach(0)
    clock.now += 300  # a cluster starts, a model is loaded, the first piece is made
    pace.reach(4)
    assert (pace.average, pace.left_s(100)) == (None, None)
    for done in range(8, 44, 4):
        clock.now += 2
        pace.reach(done)
    assert pace.average == pytest.approx(2.0)
    assert pace.left_s(100) == pytest.approx((100 - 40) / 2)


def test_what_a_resumed_run_found_is_no_work_of_it(clock):
    pace = Pace(clock)
    pace.reach(1000)
    clock.now += 60
    pace.begin()
    clock.now += 10
    pace.reach(1010)
    assert (pace.average, pace.lately, pace.left_s(1030)) == (1.0, 1.0, 20.0)


def test_pieces_that_arrive_at_once_are_no_hurry(clock):
    pace = Pace(clock)
    pace.reach(0)
    pace.begin()
    clock.now += 10
    for done in (1, 2, 3, 4):
        pace.reach(done)
    assert pace.average == pytest.approx(0.4)


def test_of_late_is_the_last_minute(clock):
    pace = Pace(clock)
    pace.reach(0)
    pace.begin()
    done = 0
    for rate in (1, 5):
        for _ in range(120):
            clock.now += 1
            done += rate
            pace.reach(done)
    assert pace.average == pytest.approx(3.0)
    assert pace.lately == pytest.approx(5.0)
    assert pace.left_s(done + 50) == pytest.approx(10.0)


def test_a_run_that_stands_still_goes_by_its_average(clock):
    pace = Pace(clock)
    pace.reach(0)
    pace.begin()
    clock.now += 10
    pace.reach(100)
    clock.now += 90
    assert pace.lately is None
    assert pace.average == pytest.approx(1.0)
    assert pace.left_s(150) == pytest.approx(50.0)


def test_nothing_done_is_no_rate(clock):
    pace = Pace(clock)
    assert (pace.average, pace.lately, pace.left_s(10)) == (None, None, None)
    pace.begin()
    clock.now += 5
    assert (pace.average, pace.lately, pace.left_s(10)) == (None, None, None)
