"""What `synthgen status` tells from storage alone."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.augment.lease import hold_lease
from pipeline.augment.status import State, read_status, recent_rate
from pipeline.cli import build_app
from pipeline.errors import InputError
from pipeline.storage import Store


@pytest.fixture
def store(finished) -> Store:
    return finished


def make_older(store: Store, seconds: dict[int, float]) -> None:
    """Commits so long ago."""
    for shard, age in seconds.items():
        path = Path(store.url, f".synthgen/commits/train-{shard:06d}.json")
        os.utime(path, (time.time() - age, time.time() - age))


def unfinish(store: Store) -> None:
    store.delete("dataset.json")
    store.delete(".synthgen/commits/train-000002.json")


def test_a_finished_run_is_complete(store):
    status = read_status(store)
    assert (status.state, status.shards, status.samples, status.owner) == (State.COMPLETE, 3, 6, None)
    assert status.size == sum(file.size for file in store.list("shards"))


def test_a_run_at_work_shows_its_owner_its_rate_and_what_is_left(store):
    unfinish(store)
    make_older(store, {0: 30, 1: 10})
    with hold_lease(store):
        status = read_status(store)
        text = status.as_text()
    assert status.state is State.RUNNING
    assert status.samples_per_s == pytest.approx(2 / 20, rel=0.01)
    assert status.left_s == pytest.approx(2 / 0.1, rel=0.01)
    assert re.fullmatch(
        rf"{re.escape(store.url)}: running\n"
        r"shards   2 of 3\n"
        r"samples  4 of 6, 0\.\d MB\n"
        r"latest   a shard 1\d s ago, 0\.1 samples/s lately, 20 s left\n"
        rf"owner    process {os.getpid()} of \S+ on \S+, last heard of 0 s ago",
        text,
    )


def test_a_run_that_died_says_so_and_how_to_go_on(store):
    unfinish(store)
    said = {"owner": "eve", "host": "far", "pid": 7, "started": "1", "token": "t", "heartbeat": time.time() - 600}
    store.write_atomic(".synthgen/leases/000001.json", json.dumps(said).encode())
    status = read_status(store)
    assert (status.state, status.left_s) == (State.STOPPED, None)
    assert status.as_text().splitlines()[-2:] == [
        "owner    process 7 of eve on far, last heard of 10 min 00 s ago: dead",
        "run the same synthgen augment again to go on where it stopped",
    ]


def test_the_command_gives_the_same_as_json(store):
    done = CliRunner().invoke(build_app(), ["status", store.url, "--json"])
    said = json.loads(done.stdout)
    assert {k: said[k] for k in ("state", "shards", "planned_shards", "samples", "planned_samples", "owner")} == {
        "state": "complete",
        "shards": 3,
        "planned_shards": 3,
        "samples": 6,
        "planned_samples": 6,
        "owner": None,
    }


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r": no data set here \(no \.synthgen/plan\.json\)$"):
        read_status(Store(str(tmp_path)))


@pytest.mark.parametrize(
    ("commits", "rate"),
    [
        ([], None),
        ([(5.0, 9)], None),
        ([(5.0, 9), (5.0, 9)], None),
        ([(0.0, 100), (10.0, 20)], 2.0),
        # a pause before the last ten commits is no part of what goes on now
        ([(0.0, 8), *((1000.0 + i, 8) for i in range(11))], 8.0),
    ],
)
def test_the_rate_is_that_of_the_last_commits(commits, rate):
    assert recent_rate(commits) == rate
