"""What a training looked like over time: losses, speed and measurements, thinned to a few hundred rows."""

from collections.abc import Mapping, Sequence
from typing import Any

_MOST_ROWS = 400


class History:
    """Means over equal numbers of steps. When there are too many rows, neighbours become one."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.measured: list[tuple[int, float]] = []  # step, patch distance
        self._every, self._open = 1, 0
        self._sums: dict[str, float] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """One step's losses and what else goes with it."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._open += 1
        if self._open == self._every:
            self.rows.append({"step": step, **{name: total / self._open for name, total in self._sums.items()}})
            self._open, self._sums = 0, {}
        if len(self.rows) >= _MOST_ROWS:
            self.rows = [_merged(pair) for pair in zip(self.rows[::2], self.rows[1::2], strict=True)]
            self._every *= 2

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "rows": self.rows,
            "measured": self.measured,
            "every": self._every,
            "open": self._open,
            "sums": dict(self._sums),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from saved rows."""
        self.rows, self.measured = list(state["rows"]), [tuple(pair) for pair in state["measured"]]
        self._every, self._open, self._sums = state["every"], state["open"], dict(state["sums"])


def _merged(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    means = {name: sum(row[name] for row in rows if name in row) / sum(name in row for row in rows) for name in names}
    return {**means, "step": max(row["step"] for row in rows)}
