import ctypes
import os
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from orchestration.shard_engine import (
    EngineFailed,
    Limits,
    ShardTask,
    Stage,
    StageFailed,
    TooManyQuarantined,
    run_shards,
)

pytestmark = pytest.mark.ray


def make_double():
    return lambda rows: [2 * row for row in rows]


def make_text():
    return lambda rows: [f"<{row}>" for row in rows]


def make_whole():
    return lambda shard, rows: (shard, rows)


def make_picky(bad: int):
    def work(rows):
        if bad in rows:
            raise ValueError(f"{bad} is a bad number")
        return rows

    return work


def make_mortal(grave: str, bad: int):
    def work(rows):
        if bad in rows and not Path(grave).exists():
            Path(grave).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return rows

    return work


def fail_to_make():
    raise FileNotFoundError("no model at runs/nowhere")


def test_every_shard_is_finished_whole_and_in_order_whatever_its_size(embedded_ray):
    sizes = [7, 1, 12, 3, 8, 5]
    tasks = [ShardTask(f"train-{i:06d}", range(100 * i, 100 * i + size)) for i, size in enumerate(sizes)]
    stages = [Stage("double", make_double, batch_size=4), Stage("text", make_text, batch_size=3)]
    reports = list(run_shards(tasks, stages, make_whole, embedded_ray))
    assert reports == [(task.id, [f"<{2 * row}>" for row in task.rows]) for task in tasks]


def test_no_task_is_no_work(embedded_ray):
    assert list(run_shards([], [Stage("double", make_double)], make_whole, embedded_ray)) == []


def test_an_exception_in_a_stage_names_stage_and_shard_and_keeps_its_cause(embedded_ray):
    tasks = [ShardTask("a", range(4)), ShardTask("b", range(4, 8))]
    with pytest.raises(StageFailed) as failed:
        list(run_shards(tasks, [Stage("pick", partial(make_picky, 6))], make_whole, embedded_ray))
    assert str(failed.value) == "stage pick failed on shard b: ValueError: 6 is a bad number"
    assert isinstance(failed.value.__cause__, ValueError)
    assert "6 is a bad number" in failed.value.trace


def test_a_worker_that_cannot_be_made_fails_the_run_with_its_reason(embedded_ray):
    with pytest.raises(StageFailed) as failed:
        list(run_shards([ShardTask("a", range(4))], [Stage("edit", fail_to_make)], make_whole, embedded_ray))
    assert str(failed.value) == "stage edit failed to start: FileNotFoundError: no model at runs/nowhere"


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_doubled(embedded_ray, tmp_path):
    tasks = [ShardTask(f"s{i}", range(10 * i, 10 * i + 10)) for i in range(4)]
    mortal = Stage("mortal", partial(make_mortal, str(tmp_path / "died"), 21), batch_size=5)
    reports = list(run_shards(tasks, [mortal], make_whole, embedded_ray))
    assert reports == [(task.id, list(task.rows)) for task in tasks]
    assert (tmp_path / "died").exists()


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


WAYS_TO_DIE = {"exit": partial(os._exit, 1), "kill": be_killed, "segfault": partial(ctypes.string_at, 0)}


class Deadly:
    """Work that no process survives on some rows."""

    def __init__(self, rows, how):
        self._rows, self._how = rows, how

    def __call__(self, rows):
        return [self.step(row)[0] for row in rows]

    def step(self, row):
        if row in self._rows:
            WAYS_TO_DIE[self._how]()
        return row, True

    def quarantine(self, row, reason):
        return f"{row}: {reason}"


def make_suicidal():
    return lambda rows: be_killed()


def make_deadly(rows, how):
    return Deadly(rows, how)


@pytest.mark.slow
@pytest.mark.parametrize("how", WAYS_TO_DIE)
def test_a_row_that_kills_its_worker_is_put_aside_and_the_run_goes_on(embedded_ray, how):
    tasks = [ShardTask(f"s{i}", range(8 * i, 8 * i + 8)) for i in range(4)]
    flights = []
    stage = Stage("deadly", partial(make_deadly, {13}, how), batch_size=8)
    reports = list(run_shards(tasks, [stage], make_whole, embedded_ray, watch=flights.append))
    told = "13: its worker died every time it was tried"
    assert reports == [(task.id, [told if row == 13 else row for row in task.rows]) for task in tasks]
    assert (flights[-1].deaths, flights[-1].quarantined) == (4, 1)  # twice in company, twice alone


@pytest.mark.slow
def test_more_deadly_rows_than_are_borne_end_the_run(embedded_ray):
    stage = Stage("deadly", partial(make_deadly, {1, 2}, "exit"), batch_size=4)
    with pytest.raises(TooManyQuarantined) as failed:
        list(run_shards([ShardTask("a", range(4))], [stage], make_whole, embedded_ray, Limits(quarantined=1)))
    assert str(failed.value) == ("2 rows killed their workers in stage deadly, the last one in shard a; 1 are borne")


@pytest.mark.slow
def test_work_that_cannot_put_a_row_aside_ends_the_run_instead_of_trying_for_ever(embedded_ray):
    stage = Stage("mortal", make_suicidal, batch_size=4)
    with pytest.raises(EngineFailed, match=r"^a row of shard a kills the workers of stage mortal$"):
        list(run_shards([ShardTask("a", range(4))], [stage], make_whole, embedded_ray))


@pytest.mark.slow
def test_workers_that_die_before_they_are_ready_are_not_started_for_ever(embedded_ray):
    with pytest.raises(EngineFailed, match=r"^3 workers of stage load in a row died while they started: "):
        list(run_shards([ShardTask("a", range(4))], [Stage("load", WAYS_TO_DIE["exit"])], make_whole, embedded_ray))


class PutsNothingAside(Deadly):
    """Deadly even where a row is only put aside."""

    def quarantine(self, row, reason):
        be_killed()


def make_hopeless():
    return PutsNothingAside({1}, "kill")


@pytest.mark.slow
def test_a_row_that_cannot_even_be_put_aside_ends_the_run_and_is_spoken_of_as_a_row(embedded_ray, monkeypatch):
    monkeypatch.setattr("orchestration.pieces.DEATHS_BORNE", 1)
    monkeypatch.setattr("orchestration.pieces._FINISH_DEATHS_BORNE", 1)
    with pytest.raises(EngineFailed) as failed:
        list(run_shards([ShardTask("a", [1])], [Stage("deadly", make_hopeless)], make_whole, embedded_ray))
    assert str(failed.value) == (
        "workers of stage deadly die, one after the other, even where they only put aside a row of shard a: "
        "is there memory enough for one row?"
    )


def make_lengthy():
    def work(rows):
        time.sleep(2.5)
        return rows

    return work


def test_a_worker_that_takes_longer_than_the_limit_is_progress(embedded_ray):
    limits = Limits()

    def lose_patience(flight):
        """Once every worker is ready: how long a start takes is another matter."""
        if all(ready for ready, _ in flight.workers.values()):
            object.__setattr__(limits, "no_progress_s", 0.5)

    stages = [Stage("lengthy", make_lengthy, workers=1)]
    reports = list(
        run_shards([ShardTask("a", range(4))], stages, make_whole, embedded_ray, limits, watch=lose_patience)
    )
    assert reports == [("a", [0, 1, 2, 3])]
    assert limits.no_progress_s == 0.5


def make_after_a_minute():
    time.sleep(60)


def test_workers_that_do_not_become_ready_are_no_progress(embedded_ray):
    stages = [Stage("late", make_after_a_minute, workers=1)]
    with pytest.raises(EngineFailed, match=r"^nothing has moved for \d+ s; no worker is ready for .*late \(0 of 1\)"):
        list(run_shards([ShardTask("a", [1])], stages, make_whole, embedded_ray, Limits(no_progress_s=4)))


def make_slow():
    def work(rows):
        time.sleep(0.05)
        return rows

    return work


def test_no_more_shards_are_in_flight_than_allowed(embedded_ray):
    flights = []
    tasks = [ShardTask(f"s{i}", range(4)) for i in range(12)]
    limits = Limits(shards_in_flight=2)
    stages = [Stage("a", make_slow, batch_size=2), Stage("b", make_slow, batch_size=2)]
    assert len(list(run_shards(tasks, stages, make_whole, embedded_ray, limits, watch=flights.append))) == 12
    assert max(flight.in_flight for flight in flights) == 2


def test_a_run_that_is_closed_leaves_no_worker_behind(embedded_ray):
    import ray

    tasks = [ShardTask(f"s{i}", range(4)) for i in range(50)]
    reports = run_shards(tasks, [Stage("a", make_slow, batch_size=2)], make_whole, embedded_ray)
    next(reports)
    assert ray.available_resources().get("CPU", 0) < 2
    reports.close()
    deadline = time.monotonic() + 20
    while ray.available_resources().get("CPU", 0) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def make_reserving():
    import ray

    reserved = ray.get_runtime_context().get_assigned_resources()["CPU"]

    def work(rows):
        time.sleep(0.5)  # 12 chunks outlast the third look at the cluster, also where Ray places both stages at once
        return [(row, reserved) for row in rows]

    return work


def make_as_is():
    return lambda rows: rows


@pytest.mark.parametrize(("cpus", "reserved"), [(2.0, 1.0), (1.0, 0.5)])
def test_a_cluster_that_shrinks_takes_workers_from_the_stage_that_holds_what_is_left(
    cpus, reserved, embedded_ray, monkeypatch
):
    """Two CPUs are here, four were: the first stage got both, and the second one waits for what never comes."""
    looks = iter([4.0, 4.0])
    monkeypatch.setattr("orchestration.shard_engine.resources_now", lambda: (next(looks, cpus), 0.0))
    tasks = [ShardTask(f"s{i}", range(4 * i, 4 * i + 4)) for i in range(12)]
    stages = [Stage("reserving", make_reserving, batch_size=4), Stage("as it is", make_as_is, batch_size=4)]
    flights = []
    limits = Limits(no_progress_s=20.0)
    before = replace(embedded_ray, cpus=4.0)
    said = list(run_shards(tasks, stages, make_whole, before, limits, watch=flights.append))
    assert [shard for shard, _ in said] == [task.id for task in tasks]
    assert [[row for row, _ in rows] for _, rows in said] == [list(task.rows) for task in tasks]
    assert {reservation for _, reservation in said[-1][1]} == {reserved}
    assert flights[-1].workers["reserving"] == (1, 1)
    assert flights[-1].deaths == 0
