"""A uniform sample of a stream whose length nobody knows, in bounded memory."""

from typing import Any

import numpy as np
import numpy.typing as npt


class Reservoir:
    """Every row of the stream is in the sample with the same probability; while they all fit, it is all of them."""

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        self._most, self._rng = most, rng
        self._rows: npt.NDArray[Any] | None = None
        self.seen = 0

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The sample, in no particular order once it is full."""
        assert self._rows is not None
        return self._rows[: self.seen]

    def add(self, rows: npt.NDArray[Any]) -> None:
        """The next rows of the stream."""
        if self._rows is None:
            self._rows = np.empty((self._most, *rows.shape[1:]), rows.dtype)
        fitting = min(len(rows), max(0, self._most - self.seen))
        self._rows[self.seen : self.seen + fitting] = rows[:fitting]
        later = np.arange(self.seen + fitting, self.seen + len(rows))
        # Row number n replaces a random one with probability most / (n + 1).
        places = self._rng.integers(0, later + 1) if len(later) else later
        for row in np.flatnonzero(places < self._most):
            self._rows[places[row]] = rows[fitting + row]
        self.seen += len(rows)
