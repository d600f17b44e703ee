import os
import signal
from functools import partial
from pathlib import Path

import pytest

from orchestration.shard_engine import ShardTask, Stage, StageFailed, run_shards

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
    assert str(failed.value) == "stage edit failed on shard a: FileNotFoundError: no model at runs/nowhere"


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_doubled(embedded_ray, tmp_path):
    tasks = [ShardTask(f"s{i}", range(10 * i, 10 * i + 10)) for i in range(4)]
    mortal = Stage("mortal", partial(make_mortal, str(tmp_path / "died"), 21), batch_size=5)
    reports = list(run_shards(tasks, [mortal], make_whole, embedded_ray))
    assert reports == [(task.id, list(task.rows)) for task in tasks]
    assert (tmp_path / "died").exists()
