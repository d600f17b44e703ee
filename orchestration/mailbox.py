"""Reports from running workers to the process that started them, and its wish that they stop."""

from collections.abc import Mapping
from typing import Any

Report = Mapping[str, Any]


class Mailbox:
    """Lives in an actor of its own. Rank 0 posts reports; any rank posts a failure; the driver empties it."""

    def __init__(self) -> None:
        self._reports: list[Report] = []
        self._failure: bytes | None = None
        self._stop = False

    def post(self, reports: list[Report]) -> bool:
        """Take reports; the answer is whether the sender should stop."""
        self._reports.extend(reports)
        return self._stop

    def drain(self) -> list[Report]:
        """Everything posted since the last call."""
        reports, self._reports = self._reports, []
        return reports

    def stop(self) -> None:
        """Ask the workers to stop at their next step."""
        self._stop = True

    def fail(self, failure: bytes) -> None:
        """Keep the first failure: what follows on other ranks is its echo."""
        self._failure = self._failure or failure

    def failure(self) -> bytes | None:
        """The first failure, pickled."""
        return self._failure
