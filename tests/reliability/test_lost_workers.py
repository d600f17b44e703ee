"""SIGKILL of workers, actors and whole nodes of a cluster: the run goes on by itself and gives the same bytes."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage import Store
from tests.reliability.process_tree import ProcessTree, synthgen
from tests.reliability.tiny_run import contents, write_recipe

pytestmark = pytest.mark.soak

SAMPLES = 900  # enough that a fast machine has not made them all before the last loss
KILLS = 10
_BETWEEN_KILLS_S = 60
_LONGEST_S = 900


class Machines:
    """A cluster of several raylets on this machine: a head that drives, two nodes that may be lost."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._own_before = set(workers())
        self.nodes = [self._join() for _ in range(2)]

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def lose_a_node(self, rng: random.Random) -> bool:
        """The raylet dies and its workers with it; another node takes its place, as a spot pool would give one."""
        lost = self.nodes.pop(rng.randrange(len(self.nodes)))
        self._cluster.remove_node(lost, allow_graceful=False)
        self.nodes.append(self._join())
        return True

    def lose_a_worker(self, rng: random.Random) -> bool:
        """Any process that runs tasks."""
        return self._kill_one(rng, "ray::")

    def lose_an_actor(self, rng: random.Random) -> bool:
        """One that holds a stage."""
        return self._kill_one(rng, "ray::StageWorker", "ray::FinishWorker")

    def _kill_one(self, rng: random.Random, *titles: str) -> bool:
        running = workers().items()
        found = sorted(pid for pid, name in running if name.startswith(titles) and pid not in self._own_before)
        if not found:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(found), signal.SIGKILL)
        return True

    def _join(self) -> Any:
        return self._cluster.add_node(num_cpus=2, object_store_memory=100_000_000)


def workers() -> dict[int, str]:
    """The workers of this test's own raylets, by the title that Ray gives them: they descend from this process."""
    mine, titles = {os.getpid()}, {}
    stats = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                stats[int(entry.name)] = (parent, (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in stats.items() if parent in mine} - mine
        mine, grown = mine | more, bool(more)
    for pid in mine:
        name = stats[pid][1] if pid in stats else ""
        # Ray's own services are no workers of anybody.
        if name.startswith("ray::") and not name.startswith(("ray::DashboardAgent", "ray::RuntimeEnvAgent")):
            titles[pid] = name
    return titles


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100_000_000},
    )
    try:
        yield Machines(cluster)
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def undisturbed(augment, tmp_path_factory) -> dict[str, bytes]:
    return contents(augment(str(tmp_path_factory.mktemp("undisturbed") / "out"), SAMPLES))


LOSSES: dict[str, Callable[[Machines, random.Random], bool]] = {
    "worker": Machines.lose_a_worker,
    "actor": Machines.lose_an_actor,
    "raylet": Machines.lose_a_node,
}


@pytest.mark.parametrize("lost", LOSSES)
def test_a_run_that_loses_ten_of_them_finishes_by_itself(lost, machines, undisturbed, tiny_model, tmp_path):
    rng, output, log = random.Random(lost), tmp_path / "out", tmp_path / "log"
    recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output), SAMPLES)
    kills = 0
    with synthgen("augment", "--recipe", str(recipe), "--address", machines.address, log=log) as run:
        deadline = time.monotonic() + _LONGEST_S
        while run.ended() is None:
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            if kills < KILLS and wait_for_a_shard(run, output, rng) and run.ended() is None:
                kills += LOSSES[lost](machines, rng)
            else:
                run.wait(1)
    assert run.ended() == 0, log.read_text()[-2000:]
    assert contents(Store(str(output))) == undisturbed
    assert kills == KILLS


def wait_for_a_shard(run: ProcessTree, output: Path, rng: random.Random) -> bool:
    """Until one more shard is committed, so that losses fall between work; and then a moment longer."""
    before, since = committed(output), time.monotonic()
    while run.ended() is None and committed(output) == before and time.monotonic() - since < _BETWEEN_KILLS_S:
        time.sleep(0.05)
    time.sleep(rng.uniform(0, 0.5))
    return committed(output) > 0


def committed(output: Path) -> int:
    return len(list(output.glob(".synthgen/commits/*.json")))
