"""Only one run writes an output: of several at once one proceeds, and one that was replaced commits nothing."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from pipeline.augment.lease import Claim, hold_lease
from pipeline.errors import RunError
from pipeline.shards.commit import Marker, commit_shard, committed_shards, sha256_of
from pipeline.storage import Store

LEASE = ".synthgen/leases/000001.json"


def marker(tar: bytes) -> Marker:
    return Marker(
        shard="train-000000",
        plan="p",
        sha256=sha256_of(tar),
        size=len(tar),
        samples=1,
        rows_sha256=sha256_of(b"rows"),
        statistics={},
    )


def fall_silent(store: Store) -> None:
    """As if the owner had been asleep on another machine for longer than a lease lasts."""
    said = json.loads(store.read(LEASE))
    store.write_atomic(LEASE, json.dumps({**said, "host": "elsewhere", "heartbeat": time.time() - 1000}).encode())


@pytest.mark.parametrize("runs", [2, 5])
@pytest.mark.parametrize("attempt", range(10))
def test_of_several_runs_started_at_once_exactly_one_proceeds(tmp_path, runs, attempt):
    store, start, done = Store(str(tmp_path)), threading.Barrier(runs), threading.Barrier(runs)

    def claim(_number: int) -> str:
        with ExitStack() as held:
            start.wait()
            try:
                held.enter_context(hold_lease(store))
                outcome = "proceeds"
            except RunError as error:
                outcome = str(error)
            done.wait()  # nobody gives the output back before everybody has asked for it
            return outcome

    with ThreadPoolExecutor(runs) as threads:
        outcomes = list(threads.map(claim, range(runs)))
    assert outcomes.count("proceeds") == 1
    refused = [outcome for outcome in outcomes if outcome != "proceeds"]
    assert all(outcome.startswith(f"{tmp_path}: another run ") for outcome in refused)


@pytest.mark.parametrize("ended", [False, True], ids=["while the new owner works", "after the new owner has ended"])
@pytest.mark.parametrize("awake", ["before the put", "between put and marker"])
def test_an_owner_that_wakes_up_after_a_takeover_commits_nothing(tmp_path, awake, ended):
    store = Store(str(tmp_path))
    with ExitStack() as new_owner, hold_lease(store) as stale:

        def take_over() -> None:
            fall_silent(store)
            assert new_owner.enter_context(hold_lease(store)).number == 2
            if ended:
                new_owner.close()

        def fence_after_sleep(claim: Claim = stale) -> None:
            if awake == "between put and marker":
                take_over()
            claim.check()

        if awake == "before the put":
            take_over()
        with pytest.raises(RunError, match=r"another run has taken this output over; this one commits nothing more$"):
            commit_shard(store, marker(b"old"), b"old", b"rows", fence_after_sleep)
    assert committed_shards(store) == []


def test_what_a_stale_owner_put_is_replaced_before_the_new_one_marks_it(tmp_path):
    store = Store(str(tmp_path))
    with hold_lease(store) as stale:
        fall_silent(store)
        with hold_lease(store) as owner:
            with pytest.raises(RunError):
                commit_shard(store, marker(b"old"), b"old", b"rows", stale.check)
            commit_shard(store, marker(b"new"), b"new", b"rows", owner.check)
    assert store.read("shards/train-000000.tar") == b"new"
