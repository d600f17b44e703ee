import json
import re
import socket
import subprocess
import threading
import time

import pytest

from pipeline.augment import lease
from pipeline.augment.lease import hold_lease, read_owner
from pipeline.errors import RunError
from pipeline.storage import Store


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(str(tmp_path))


def write_lease(store: Store, number: int, **changes) -> None:
    said = {"owner": "eve", "host": "elsewhere", "pid": 1, "started": "1", "token": "t", "heartbeat": time.time()}
    store.write_atomic(f".synthgen/leases/{number:06d}.json", json.dumps({**said, **changes}).encode())


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_lease_leaves_nothing_behind(store):
    with hold_lease(store) as claim:
        claim.check()
        assert len(store.list(".synthgen/leases")) == 1
    assert store.list(".synthgen/leases") == []


def test_a_second_run_is_refused_naming_the_owner(store):
    write_lease(store, 1, heartbeat=time.time() - 7)
    message = (
        f"{store.url}: another run is at work here: process 1 of eve on elsewhere, last heard of 7 s ago; wait for it "
        "or stop it (a dead one is given up after 90 s)"
    )
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"), hold_lease(store):
        pass


def test_the_same_process_cannot_hold_it_twice(store):
    with hold_lease(store), pytest.raises(RunError, match=r": another run is at work here: "), hold_lease(store):
        pass


def test_a_lease_not_heard_of_for_long_is_taken_over(store):
    write_lease(store, 4, heartbeat=time.time() - 91)
    with hold_lease(store) as claim:
        assert claim.number == 5
    assert store.list(".synthgen/leases") == []


def test_a_dead_process_of_this_machine_is_not_waited_for(store):
    write_lease(store, 1, host=socket.gethostname(), pid=dead_pid())
    with hold_lease(store) as claim:
        claim.check()


def test_an_owner_that_was_away_finds_itself_replaced(store):
    with hold_lease(store) as stale:
        write_lease(store, 2)
        with pytest.raises(RunError, match=r": another run has taken this output over; this one commits nothing more$"):
            stale.check()
    assert [file.path for file in store.list(".synthgen/leases")] == [
        ".synthgen/leases/000001.json",
        ".synthgen/leases/000002.json",
    ]


def test_an_owner_that_was_away_is_replaced_even_when_the_other_run_has_ended(store):
    with hold_lease(store) as stale:
        store.delete(".synthgen/leases/000001.json")
        with pytest.raises(RunError, match=r"taken this output over"):
            stale.check()
        write_lease(store, 1)
        with pytest.raises(RunError, match=r"taken this output over"):
            stale.check()


def test_the_heartbeat_goes_on(store, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with hold_lease(store):
        first = read_owner(store).heartbeat
        deadline = time.monotonic() + 10
        while read_owner(store).heartbeat == first:
            assert time.monotonic() < deadline, "no heartbeat in 10 s"
            time.sleep(0.01)
    assert store.list(".synthgen/leases") == []


def test_a_heartbeat_that_was_held_up_over_a_takeover_does_not_bring_the_lease_back(store, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    held_up, go_on, honest = threading.Event(), threading.Event(), Store.write_atomic

    def write_atomic(self: Store, path: str, data: bytes) -> None:
        held_up.set()
        assert go_on.wait(10)
        honest(self, path, data)

    with hold_lease(store) as stale:
        monkeypatch.setattr(Store, "write_atomic", write_atomic)
        assert held_up.wait(10)  # after it was checked that the lease still holds
        for file in store.list(".synthgen/leases"):
            store.delete(file.path)  # as a run that took over and has ended leaves it
        go_on.set()
        time.sleep(0.1)
        with pytest.raises(RunError, match=r"taken this output over"):
            stale.check()
    assert store.list(".synthgen/leases") == []


@pytest.mark.parametrize("written", [True, False])
def test_an_interrupt_while_the_lease_is_taken_leaves_none_behind(written, store, monkeypatch):
    create = Store.create_exclusive

    def interrupted(self, path, data):
        assert not written or create(self, path, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "create_exclusive", interrupted)
        with pytest.raises(KeyboardInterrupt), hold_lease(store):
            pass
    assert store.list("") == []
    with hold_lease(store) as claim:
        assert claim.number == 1


@pytest.mark.parametrize("pid", [float("inf"), "one", None])
def test_a_damaged_lease_is_named(pid, store):
    write_lease(store, 1, pid=pid)
    with pytest.raises(RunError, match=r"000001\.json: not a lease; delete it if no run is at work here$"):
        read_owner(store)
