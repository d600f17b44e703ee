"""A run that stands still says so, and what it waits for, instead of saying nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pipeline.console import duration

QUIET_S = 60.0  # a run that commits less often than this is told on


class Watch:
    """Knows which shards are outstanding. Reports come in the order of the plan, so the first of them is the oldest."""

    def __init__(self, outstanding: Sequence[str], now: Callable[[], float] = time.monotonic) -> None:
        self._outstanding = outstanding
        self._now = now
        self._reported, self._since = 0, now()

    def reported(self) -> None:
        """The oldest shard is done."""
        self._reported, self._since = self._reported + 1, self._now()

    def complaint(self) -> str:
        """What the run waits for; empty while it goes on well or has nothing left to do."""
        quiet_s, left = self._now() - self._since, self._outstanding[self._reported :]
        if quiet_s < QUIET_S or not left:
            return ""
        others = f" and {len(left) - 1} after it" if len(left) > 1 else ""
        return f"no shard for {duration(quiet_s)}: waiting for {left[0]}{others}"


@contextmanager
def watching(watch: Watch, tell: Callable[[str], None]) -> Iterator[None]:
    """`tell` every complaint, every so often, while the block runs."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(QUIET_S / 4):
            complaint = watch.complaint()
            if complaint:
                tell(complaint)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
