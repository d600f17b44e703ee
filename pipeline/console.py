"""What a command shows: progress and notes on stderr, its result on stdout, as text or as JSON."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

_SECONDS_BETWEEN_LINES = 5.0


class ProgressMode(StrEnum):
    """How progress is shown."""

    AUTO = "auto"  # a bar on a terminal, lines elsewhere
    BAR = "bar"
    LINES = "lines"
    JSON = "json"
    OFF = "off"


class Progress(Protocol):
    """How far a piece of work has come."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """That many more are done; `note` is what else is worth seeing (losses, rejects)."""

    def set(self, done: int, total: int | None = None, note: str = "") -> None:
        """So many are done in all, of `total` when that has become known."""


@dataclass(frozen=True)
class Console:
    """How one command speaks; made from its options."""

    as_json: bool = False
    quiet: bool = False
    mode: ProgressMode = ProgressMode.AUTO

    def result(self, text: str, data: Mapping[str, Any]) -> None:
        """The answer of the command: the text, or the data with `--json`."""
        print(json.dumps(data, ensure_ascii=False, default=str) if self.as_json else text, flush=True)

    def note(self, text: str) -> None:
        """Something worth knowing on the way."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Something that should be looked at; shown even when quiet."""
        print(f"warning: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, what: str, total: int | None = None, unit: str = "") -> Iterator[Progress]:
        """Show how `what` goes on while the block runs."""
        mode = self._resolved_mode()
        if mode is ProgressMode.BAR:
            with _bar(what, total) as bar:
                yield bar
            return
        lines = _Lines(what, total, unit, mode)
        try:
            yield lines
        finally:
            lines.show()

    def _resolved_mode(self) -> ProgressMode:
        if self.mode is not ProgressMode.AUTO:
            return self.mode
        if self.quiet:
            return ProgressMode.OFF
        return ProgressMode.BAR if sys.stderr.isatty() else ProgressMode.LINES


class _Lines:
    """Progress as a line every few seconds, for people or as JSON."""

    def __init__(self, what: str, total: int | None, unit: str, mode: ProgressMode) -> None:
        self._what, self._total, self._unit, self._mode = what, total, unit, mode
        self._started = self._shown_at = time.monotonic()
        self._done, self._note = 0, ""
        self._first: tuple[float, int] | None = None  # when work was first seen done, and how much
        self._shown = (-1, "")

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.set(self._done + steps, note=note)

    def set(self, done: int, total: int | None = None, note: str = "") -> None:
        self._done, self._total, self._note = done, total or self._total, note or self._note
        if self._first is None and done:
            self._first = (time.monotonic(), done)
        if time.monotonic() - self._shown_at >= _SECONDS_BETWEEN_LINES:
            self.show()

    def show(self) -> None:
        """The line as it stands now, unless it was shown already."""
        if self._mode is ProgressMode.OFF or (self._done, self._note) == self._shown:
            return
        self._shown, self._shown_at = (self._done, self._note), time.monotonic()
        elapsed = self._shown_at - self._started
        line = self._as_json(elapsed) if self._mode is ProgressMode.JSON else self._as_text()
        print(line, file=sys.stderr, flush=True)

    def _rate(self) -> float:
        """Steps a second since the first were seen done: neither start-up nor what an earlier run did counts."""
        if self._first is None:
            return 0.0
        began, before = self._first
        elapsed_s = self._shown_at - began
        return (self._done - before) / elapsed_s if elapsed_s > 0.5 else 0.0

    def _as_json(self, elapsed_s: float) -> str:
        fields = {"progress": self._what, "done": self._done, "total": self._total, "elapsed_s": round(elapsed_s, 1)}
        return json.dumps({**fields, "note": self._note})

    def _as_text(self) -> str:
        of_total = f"/{self._total}" if self._total else ""
        parts = [f"{self._what}: {self._done}{of_total} {self._unit}".rstrip()]
        rate = self._rate()
        if rate:
            parts.append(f"{rate:.3g}/s")
            if self._total and self._done < self._total:
                parts.append(f"{duration((self._total - self._done) / rate)} left")
        return ", ".join([*parts, *([self._note] if self._note else [])])


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Progress]:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with RichProgress(*columns, console=RichConsole(stderr=True)) as rich:
        task = rich.add_task(what, total=total, note="")

        class Bar:
            def advance(self, steps: int = 1, note: str = "") -> None:
                self.set(int(rich.tasks[0].completed) + steps, note=note)

            def set(self, done: int, total: int | None = None, note: str = "") -> None:
                if not rich.tasks[0].completed:
                    # Times are told from here on, not from before the start-up or from what an earlier run did.
                    rich.reset(task, completed=done)
                rich.update(task, completed=done, total=total)
                if note:
                    rich.update(task, note=note)

        yield Bar()


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
