"""How many workers a run gets, and what it refuses before it starts any."""

import re
from types import SimpleNamespace

import pytest

from orchestration.cluster import ClusterInfo
from orchestration.shard_engine import pools_for
from pipeline.augment.workers import DERIVED, Wish, check_room, device_of, stages_of
from pipeline.errors import InputError, RunError

JOB = SimpleNamespace(plan=SimpleNamespace(samples_per_shard=256))


def cluster(cpus: float, gpus: float) -> ClusterInfo:
    return ClusterInfo("ray://somewhere", False, 2, cpus, gpus)


def workers(cpus: float, gpus: float, wish: Wish = DERIVED) -> dict[str, int]:
    there = cluster(cpus, gpus)
    return {pool.name: pool.workers for pool in pools_for(stages_of(JOB, there, None, wish), there)}


@pytest.mark.parametrize(
    ("cpus", "gpus", "wish", "expected"),
    [
        (16, 8, DERIVED, {"edit": 16, "render": 8}),
        (2, 0, DERIVED, {"edit": 1, "render": 2}),
        (8, 0, DERIVED, {"edit": 4, "render": 8}),
        (16, 8, Wish(gpus_per_actor=0.5), {"edit": 16, "render": 16}),
        (16, 8, Wish(gpus_per_actor=2), {"edit": 16, "render": 4}),
        (16, 8, Wish(gpus_per_actor=0), {"edit": 8, "render": 16}),
        (16, 8, Wish(cpu_workers=3), {"edit": 3, "render": 8}),
        (8, 0, Wish(cpu_workers=2), {"edit": 2, "render": 6}),
    ],
)
def test_workers_follow_from_the_cluster_and_the_wish(cpus, gpus, wish, expected):
    assert workers(cpus, gpus, wish) == expected


@pytest.mark.parametrize(("samples", "batch"), [(4, 8), (100, 25), (256, 64), (1000, 64), (100_000, 64)])
def test_as_many_samples_travel_together_as_a_shard_asks_for_within_bounds(samples, batch):
    job = SimpleNamespace(plan=SimpleNamespace(samples_per_shard=samples))
    assert [stage.batch_size for stage in stages_of(job, cluster(4, 1), None, DERIVED)] == [batch, batch]


def test_a_worker_with_a_gpu_holds_no_cpu():
    _, render = stages_of(JOB, cluster(4, 1), None, DERIVED)
    assert (render.cpus, render.gpus) == (0.0, 1.0)
    assert device_of([render]) == "GPU"


@pytest.mark.parametrize(
    ("cpus", "gpus", "wish", "said"),
    [
        (4, 0, Wish(gpus_per_actor=1), "stage render needs 1 GPUs, the cluster has 0"),
        (4, 0, Wish(cpu_workers=9), "the stages need 10 CPUs (edit 9x1, render 1x1), the cluster has 4"),
    ],
)
def test_what_cannot_fit_is_refused_with_the_numbers_and_the_options(cpus, gpus, wish, said):
    with pytest.raises(RunError, match=rf"^the cluster is too small: {re.escape(said)}.*; see --cpu-workers and"):
        check_room(JOB, cluster(cpus, gpus), wish)


def test_gpus_that_will_wait_for_editors_are_spoken_of():
    assert check_room(JOB, cluster(16, 8), DERIVED) == []
    assert check_room(JOB, cluster(2, 8), DERIVED) == [
        "2 workers edit for 8 that render on GPUs and may wait for them; a cluster with 8 CPUs or more would not make "
        "them wait"
    ]


def test_more_than_one_gpu_is_a_whole_number():
    with pytest.raises(InputError, match=r"^--gpus-per-actor 1\.5: more than one GPU has to be a whole number$"):
        Wish(gpus_per_actor=1.5).check()
    Wish(gpus_per_actor=2.0).check()
    Wish(gpus_per_actor=0.3).check()
