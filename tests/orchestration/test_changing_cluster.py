"""Nodes that join during a run get work; nodes that are lost cost nothing but the time to make their rows again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.slow]

# Several raylets on one machine, in a process of its own: a process is in one cluster at a time.
SCRIPT = """
import json, sys, time
from ray.cluster_utils import Cluster
from orchestration.cluster import connect, shutdown
from orchestration.shard_engine import Limits, ShardTask, Stage, run_shards
from tests_of_changing_cluster import make_where, make_nothing, make_together

change = sys.argv[1]
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1 if change == "share" else 2})
other = cluster.add_node(num_cpus=2) if change == "leave" else None
tasks = [ShardTask(f"s{i}", range(4 * i, 4 * i + 4)) for i in range(40)]
stages = [Stage("where", make_where, batch_size=4), Stage("nothing", make_nothing, batch_size=4)]
reports, flights, at_first = [], [], connect(cluster.address)
for report in run_shards(tasks, stages, make_together, at_first, watch=flights.append):
    reports.append(report)
    if len(reports) == 6 and change == "join":
        cluster.add_node(num_cpus=2)
    if len(reports) == 6 and change == "leave":
        cluster.remove_node(other, allow_graceful=False)
print(json.dumps({
    "rows": [[row for row, _ in rows] for _, rows in reports],
    "shards": [shard for shard, _ in reports],
    "nodes": [sorted({node for _, node in rows}) for _, rows in reports],
    "workers": [flight.workers["where"][0] for flight in flights],
    "deaths": flights[-1].deaths,
}), flush=True)
shutdown()  # a driver that is still connected when its head node goes is ended by Ray, with code 1
cluster.shutdown()
"""
WORK = """
import time, ray

def make_where():
    node = ray.get_runtime_context().get_node_id()
    def work(rows):
        time.sleep(0.4)
        return [(row, node) for row in rows]
    return work

def make_nothing():
    return lambda rows: rows

def make_together():
    return lambda shard, rows: (shard, rows)
"""


def run(folder: Path, change: str) -> dict:
    (folder / "tests_of_changing_cluster.py").write_text(WORK)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, change],
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": path},
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stdout[-300:], done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def assert_whole(said: dict) -> None:
    assert said["shards"] == [f"s{i}" for i in range(40)]
    assert said["rows"] == [list(range(4 * i, 4 * i + 4)) for i in range(40)]


@pytest.mark.soak
def test_a_node_that_joins_gets_work(tmp_path):
    said = run(tmp_path, "join")
    assert_whole(said)
    assert said["workers"][0] <= 1
    assert max(said["workers"]) == 2  # of four CPUs, two for each stage
    assert len({node for nodes in said["nodes"] for node in nodes}) == 2


def test_a_node_that_is_lost_costs_no_row_and_blames_none(tmp_path):
    said = run(tmp_path, "leave")
    assert_whole(said)
    assert said["deaths"] == 0


@pytest.mark.soak
def test_two_stages_share_the_only_cpu(tmp_path):
    said = run(tmp_path, "share")
    assert_whole(said)
    assert max(said["workers"]) == 1
