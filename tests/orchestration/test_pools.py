import re

import pytest

from orchestration.pools import Need, Pool, size_pools

EDIT, RENDER = Need("edit", 1.0, 0.0), Need("render", 1.0, 0.0)
ON_GPU = Need("render", 0.0, 1.0)


def test_two_cpus_hold_both_stages():
    assert size_pools([EDIT, RENDER], 2, 0) == [Pool("edit", 1.0, 0.0, 1), Pool("render", 1.0, 0.0, 1)]


@pytest.mark.parametrize(("cpus", "edits", "renders"), [(2, 1, 2), (3, 2, 2), (4, 2, 4), (16, 8, 16)])
def test_light_workers_take_what_heavy_ones_leave(cpus: int, edits: int, renders: int):
    pools = size_pools([EDIT, Need("render", 0.5, 0.0)], cpus, 0)
    assert [pool.workers for pool in pools] == [edits, renders]


def test_no_cpu_is_left_over():
    assert [pool.workers for pool in size_pools([EDIT, RENDER], 7, 0)] == [3, 4]


def test_pools_of_a_fixed_size_do_not_grow():
    pools = size_pools([EDIT, Need("render", 0.5, 0.0, 1)], 4, 0)
    assert [pool.workers for pool in pools] == [3, 1]


def test_one_cpu_is_shared_by_halves():
    assert size_pools([EDIT, RENDER], 1, 0) == [Pool("edit", 0.5, 0.0, 1), Pool("render", 0.5, 0.0, 1)]


@pytest.mark.parametrize("cpus", [1, 2, 3, 4, 7, 16, 64])
@pytest.mark.parametrize("gpus", [0, 1, 8])
def test_pools_always_fit_together(cpus: int, gpus: int):
    pools = size_pools([EDIT, ON_GPU if gpus else RENDER], cpus, gpus)
    assert sum(pool.workers * pool.cpus for pool in pools) <= cpus
    assert sum(pool.workers * pool.gpus for pool in pools) <= gpus
    assert all(pool.workers >= 1 for pool in pools)


def test_every_gpu_gets_a_worker_and_leaves_the_cpus_to_the_edits():
    assert size_pools([EDIT, ON_GPU], 16, 8) == [Pool("edit", 1.0, 0.0, 16), Pool("render", 0.0, 1.0, 8)]


def test_half_a_gpu_each_makes_two_workers_a_gpu():
    assert size_pools([EDIT, Need("render", 0.0, 0.5)], 4, 2)[1].workers == 4


def test_more_gpus_than_there_are_is_refused_with_advice():
    message = "stage render needs 4 GPUs, the cluster has 2; ask for fewer workers or a smaller share"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        size_pools([EDIT, Need("render", 0.0, 1.0, 4)], 8, 2)


def test_more_fixed_workers_than_cpus_is_refused_with_advice():
    message = "the stages need 7 CPUs (edit 6x1, render 1x1), the cluster has 4; ask for fewer workers"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        size_pools([Need("edit", 1.0, 0.0, 6), RENDER], 4, 0)
