"""How fast a piece of work goes on, and how long the rest will take. Starting up is no part of it."""

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 60.0


class Pace:
    """Told how much is done, it knows the rate on average and of late.

    What was there before the work began (a run that is resumed) counts for nothing. Unless `begin` says when the work
    itself began, that is when something was done for the first time, and that first piece is left out.
    """

    def __init__(self, now: Callable[[], float] = lambda: time.monotonic()) -> None:
        self._now = now
        self._begun: tuple[float, float] | None = None  # when, and how much was done by then
        self._done: float = 0
        self._reached: deque[tuple[float, float]] = deque()

    def begin(self) -> None:
        """All that came before was starting up."""
        self._begun = (self._now(), self._done)
        self._reached.clear()
        self._reached.append(self._begun)

    def reach(self, done: float) -> None:
        """So much is done by now."""
        if self._reached and done == self._done:
            return
        if self._reached and self._begun is None:
            self._begun = (self._now(), done)
        self._reached.append((self._now(), done))
        self._done = done
        while len(self._reached) > 2 and self._reached[1][0] <= self._now() - WINDOW_S:
            self._reached.popleft()

    @property
    def average(self) -> float | None:
        """Per second since the work began; None before anything was done."""
        if self._begun is None:
            return None
        return self._rate_since(*self._begun)

    @property
    def lately(self) -> float | None:
        """Per second over the last minute, or since the work began when that is less."""
        if self._begun is None:
            return None
        since, done = self._begun
        for moment, reached in self._reached:
            if since < moment <= self._now() - WINDOW_S:
                since, done = moment, reached
        return self._rate_since(since, done)

    def left_s(self, total: float | None) -> float | None:
        """Seconds until `total` is done; None where no rate is known yet."""
        rate = self.lately or self.average
        if not total or not rate:
            return None
        return max(0.0, total - self._done) / rate

    def _rate_since(self, since: float, done: float) -> float | None:
        elapsed = self._now() - since
        return (self._done - done) / elapsed if elapsed > 0 and self._done > done else None
