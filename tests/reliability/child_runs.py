"""Runs in child processes that a test can start many of at once, stop, wake and let die at an exact step."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

from pipeline.augment import lease
from pipeline.augment import run as augment_run
from pipeline.errors import SynthgenError
from pipeline.storage import Store
from tests.reliability.tiny_run import run_here

# The server that forks them has imported everything, so that a run costs a fork and not a start of Python and torch.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.reliability.child_runs", "pipeline.augment.rendering", "pipeline.recipe"])


def start(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    child = CHILDREN.Process(target=target, args=arguments)
    child.start()
    return child


def run_until(operation: str, prefix: str, when: str, recipe: Path) -> None:
    """Dies of SIGKILL `before` or `after` the first operation of this name on a path that starts so."""
    honest = getattr(Store, operation)

    def deadly(self: Store, path: str, *more: Any) -> Any:
        if not path.startswith(prefix):
            return honest(self, path, *more)
        if when == "after":
            honest(self, path, *more)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(Store, operation, deadly)
    run_here(recipe)


def run_when_all_are_there(begin: Barrier, asked: Barrier, outcomes: "Queue[str]", recipe: Path) -> None:
    """Starts with the others; whoever owns the output goes on once every one of them has asked for it."""
    owned = augment_run.hold_lease

    @contextlib.contextmanager
    def hold(store: Store) -> Any:
        with owned(store) as claim:
            asked.wait()
            yield claim

    augment_run.hold_lease = hold
    begin.wait()
    try:
        run_here(recipe)
    except SynthgenError as error:
        asked.wait()
        outcomes.put(str(error))
    else:
        outcomes.put("proceeds")


def run_slowly(each_write_s: float, stale_after_s: float, owns: Event, outcomes: "Queue[str]", recipe: Path) -> None:
    """A run whose every write takes its time, under a lease that is soon given up."""
    shorten_leases(stale_after_s)
    honest, owned = Store.write_atomic, augment_run.hold_lease

    def write_atomic(self: Store, path: str, data: bytes) -> None:
        time.sleep(each_write_s)
        honest(self, path, data)

    @contextlib.contextmanager
    def hold(store: Store) -> Any:
        with owned(store) as claim:
            owns.set()
            yield claim

    Store.write_atomic, augment_run.hold_lease = write_atomic, hold  # type: ignore[method-assign]
    try:
        run_here(recipe)
    except SynthgenError as error:
        outcomes.put(str(error))
    else:
        outcomes.put("proceeds")


def shorten_leases(stale_after_s: float) -> None:
    lease.STALE_AFTER_S, lease.HEARTBEAT_S = stale_after_s, stale_after_s / 10
