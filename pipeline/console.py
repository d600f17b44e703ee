"""What a command shows: progress and notes on stderr, its result on stdout, as text or as JSON."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from pipeline.pace import Pace

_SECONDS_BETWEEN_LINES = 10.0


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

    def set(self, done: int, total: int | None = None, note: str = "", facts: Mapping[str, Any] | None = None) -> None:
        """So many are done in all, of `total` when that has become known; `facts` are what a machine is told beside."""

    def begin(self) -> None:
        """The work itself begins: what came before counts for no rate."""


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

    def beside_a_bar(self) -> "Console":
        """For what goes on while a bar is shown: a terminal has room for one."""
        return replace(self, mode=ProgressMode.LINES) if self._resolved_mode() is ProgressMode.BAR else self

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
        self._pace = Pace()
        self._done, self._note = 0, ""
        self._facts: Mapping[str, Any] = {}
        self._shown: tuple[int, str] | None = (-1, "")

    def begin(self) -> None:
        self._pace.begin()

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.set(self._done + steps, note=note)

    def set(self, done: int, total: int | None = None, note: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self._done, self._total, self._note = done, total or self._total, note or self._note
        self._facts = facts or self._facts
        self._pace.reach(done)
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

    def _as_json(self, elapsed_s: float) -> str:
        fields = {"progress": self._what, "done": self._done, "total": self._total, "elapsed_s": round(elapsed_s, 1)}
        rates = {"per_s": self._pace.lately, "per_s_average": self._pace.average, "left_s": self._left_s()}
        rounded = {name: None if value is None else round(value, 3) for name, value in rates.items()}
        return json.dumps({**fields, **rounded, **self._facts, "note": self._note})

    def _as_text(self) -> str:
        of_total = f"/{self._total}" if self._total else ""
        parts = [f"{self._what}: {self._done}{of_total} {self._unit}".rstrip(), *pace_in_words(self._pace, self._total)]
        return ", ".join([*parts, *([self._note] if self._note else [])])

    def _left_s(self) -> float | None:
        return self._pace.left_s(self._total)


def pace_in_words(pace: Pace, total: int | None) -> list[str]:
    """The rate of late and on average, and what is left; nothing of what is not known yet."""
    average, left_s = pace.average, pace.left_s(total)
    if average is None:
        return []
    lately = f"{pace.lately:.3g}/s" if pace.lately else "0/s now"
    words = [lately if lately == f"{average:.3g}/s" else f"{lately} ({average:.3g}/s on average)"]
    return [*words, *([f"{duration(left_s)} left"] if left_s else [])]


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Progress]:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with RichProgress(*columns, console=RichConsole(stderr=True)) as rich:
        task = rich.add_task(what, total=total, note="", pace="")
        pace = Pace()

        class Bar:
            def begin(self) -> None:
                pace.begin()

            def advance(self, steps: int = 1, note: str = "") -> None:
                self.set(int(rich.tasks[0].completed) + steps, note=note)

            def set(
                self, done: int, total: int | None = None, note: str = "", facts: Mapping[str, Any] | None = None
            ) -> None:
                pace.reach(done)
                rich.update(task, completed=done, total=total)
                whole = rich.tasks[0].total
                rich.update(task, pace=", ".join(pace_in_words(pace, None if whole is None else int(whole))))
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
