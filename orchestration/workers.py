"""The workers of a stage: actors that are handed pieces, and the pool that keeps so many of them alive."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from orchestration.failures import EngineFailed, Failure
from orchestration.memory import keep_freed_memory
from orchestration.pieces import Mode, Piece

Row = Any

IN_HAND = 2  # pieces a worker holds: one at work, and one so that it never waits for the driver
_STARTS_BORNE = 3  # workers in a row that may die before they are ready


class Careful(Protocol):
    """What a stage's work may offer beside being called, so that a row that kills its worker can be told and left."""

    def step(self, row: Row) -> tuple[Row, bool]:
        """The row after the next thing that is tried on it, and whether the stage is done with it."""

    def quarantine(self, row: Row, reason: str) -> Row:
        """The row with that next thing put aside instead of tried."""


@dataclass(frozen=True)
class Answer:
    """What the driver is told of a call, while the rows themselves stay where they were made."""

    rows: int = 0
    is_done: bool = True
    failure: Failure | None = None
    report: Any = None


@dataclass(frozen=True)
class Ready:
    """A worker that has loaded what it works with."""

    node: str
    careful: bool
    failure: Failure | None = None


class StageWorker:
    """One worker of a stage. Every method gives an Answer and a list of rows, which stays in the object store."""

    def __init__(self, name: str, make: Callable[[], Any], batch_size: int) -> None:
        self._name, self._make, self._batch_size = name, make, batch_size
        self._work: Any = None

    def prepare(self) -> Ready:
        """Make what does the work."""
        import ray

        keep_freed_memory()
        node = ray.get_runtime_context().get_node_id()
        try:
            self._work = self._make()
        except Exception as error:
            return Ready(node, False, Failure.of(self._name, "", error))
        return Ready(node, hasattr(self._work, "step") and hasattr(self._work, "quarantine"))

    def work(self, shard: str, start: int, stop: int, *given: Sequence[Row]) -> tuple[Answer, list[Row]]:
        """These rows of those given, in batches."""
        rows = _end_to_end(given)[start:stop]
        return self._answered(shard, lambda: (list(self._in_batches(rows)), True))

    def step(self, shard: str, index: int, *given: Sequence[Row]) -> tuple[Answer, list[Row]]:
        """The next step of one row."""

        def take() -> tuple[list[Row], bool]:
            row, is_done = self._work.step(_end_to_end(given)[index])
            return [row], is_done

        return self._answered(shard, take)

    def quarantine(self, shard: str, index: int, reason: str, *given: Sequence[Row]) -> tuple[Answer, list[Row]]:
        """One row without the step that kills workers."""
        return self._answered(shard, lambda: ([self._work.quarantine(_end_to_end(given)[index], reason)], False))

    def _in_batches(self, rows: list[Row]) -> Iterator[Row]:
        for start in range(0, len(rows), self._batch_size):
            yield from self._work(rows[start : start + self._batch_size])

    def _answered(self, shard: str, work: Callable[[], tuple[list[Row], bool]]) -> tuple[Answer, list[Row]]:
        try:
            rows, is_done = work()
        except Exception as error:
            return Answer(failure=Failure.of(self._name, shard, error)), []
        return Answer(len(rows), is_done), rows


class FinishWorker:
    """The last step: one whole shard in, one report out."""

    def __init__(self, name: str, make: Callable[[], Callable[[str, list[Row]], Any]], _batch_size: int) -> None:
        self._name, self._make = name, make
        self._finish: Any = None

    def prepare(self) -> Ready:
        """Make what finishes shards."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        try:
            self._finish = self._make()
        except Exception as error:
            return Ready(node, False, Failure.of(self._name, "", error))
        return Ready(node, False)

    def finish(self, shard: str, *given: Sequence[Row]) -> Answer:
        """The shard, finished."""
        try:
            return Answer(report=self._finish(shard, _end_to_end(given)))
        except Exception as error:
            return Answer(failure=Failure.of(self._name, shard, error))


def _end_to_end(given: Sequence[Sequence[Row]]) -> list[Row]:
    return [row for part in given for row in part]


@dataclass(eq=False)
class Worker:
    """One actor as the driver sees it: what it has in hand, the oldest first."""

    actor: Any
    cpus: float  # what it reserves
    node: str = ""
    is_ready: bool = False
    is_leaving: bool = False  # takes nothing more, and goes when its hands are empty
    calls: deque["Call"] = field(default_factory=deque)

    def can_take(self, piece: Piece) -> bool:
        """Whether there is room in its hands; a piece under suspicion is alone in them."""
        if not self.is_ready or self.is_leaving:
            return False
        if piece.is_suspect:
            return not self.calls
        return len(self.calls) < IN_HAND and not any(call.piece and call.piece.is_suspect for call in self.calls)


@dataclass(frozen=True, eq=False)
class Call:
    """A piece in the hands of a worker; `answer` is the reference to wait for, None piece: it is starting."""

    worker: Worker
    piece: Piece | None
    answer: Any
    rows: Any = None
    since: float = field(default_factory=time.monotonic)


@cache
def _remote(kind: type) -> Any:
    import ray

    return ray.remote(max_restarts=0, max_task_retries=0)(kind)


class WorkerPool:
    """Keeps `target` workers of one stage alive and hands them pieces."""

    def __init__(self, kind: type, name: str, make: Any, batch_size: int, options: dict[str, Any]) -> None:
        self.name = name
        self.target = 0
        self.is_careful = False
        self._actor, self._options, self._cpus = _remote(kind), options, 0.0
        self._arguments = (name, make, batch_size)
        self._workers: list[Worker] = []
        self._starts_lost = 0

    def resize(self, target: int, cpus: float) -> list[Call]:
        """Keep `target` workers, none of which reserves more than `cpus`; the calls to wait for.

        What is too many goes: at once what has nothing in hand, the rest as soon as it has answered. A cluster that
        shrank may otherwise be held by one stage, while another waits for room that never comes.
        """
        self.target, self._cpus = target, cpus
        fitting = [worker for worker in self._workers if worker.cpus <= cpus]
        staying = sorted(fitting, key=lambda w: (not w.is_ready, w.is_leaving, -len(w.calls)))[:target]
        for worker in list(self._workers):
            worker.is_leaving = worker not in staying
            self._let_go(worker)
        return [self._start() for _ in range(target - len(staying))]

    def answered(self, call: Call) -> None:
        """A worker has one thing less in hand."""
        call.worker.calls.remove(call)
        self._let_go(call.worker)

    def __contains__(self, worker: Worker) -> bool:
        return worker in self._workers

    @property
    def ready(self) -> int:
        """Workers that can be handed something."""
        return sum(worker.is_ready and not worker.is_leaving for worker in self._workers)

    def has_room(self, piece: Piece) -> bool:
        """Whether a worker can take this piece now."""
        return any(worker.can_take(piece) for worker in self._workers)

    def hand(self, piece: Piece, shard: str) -> Call:
        """Give a piece to the worker with the least to do, one on the node of its rows where there is one."""
        free = [worker for worker in self._workers if worker.can_take(piece)]
        worker = min(free, key=lambda w: (len(w.calls), w.node != piece.node))
        answer, rows = _call(worker, piece, shard)
        call = Call(worker, piece, answer, rows)
        worker.calls.append(call)
        return call

    def started(self, worker: Worker, ready: Ready) -> None:
        """A worker is ready for pieces."""
        worker.calls.popleft()
        worker.node, worker.is_ready, self.is_careful = ready.node, True, ready.careful
        self._starts_lost = 0

    def died(self, worker: Worker, *, by_itself: bool) -> None:
        """Forget a worker. EngineFailed when its like die, again and again, before they are ready."""
        if by_itself and not worker.is_ready:
            self._starts_lost += 1
        if worker in self:  # else it was leaving, and its last answer is known
            self._drop(worker)
        if self._starts_lost >= _STARTS_BORNE:
            raise EngineFailed(
                f"{self._starts_lost} workers of stage {self.name} in a row died while they started: "
                "is there memory enough for what they load?"
            )

    def calls(self) -> Iterator[Call]:
        """Everything in the hands of its workers."""
        return (call for worker in self._workers for call in worker.calls)

    def close(self) -> None:
        """End every worker, whatever it does."""
        for worker in list(self._workers):
            self._drop(worker)

    def _start(self) -> Call:
        actor = self._actor.options(num_cpus=self._cpus, **self._options).remote(*self._arguments)
        worker = Worker(actor, self._cpus)
        call = Call(worker, None, worker.actor.prepare.remote())
        worker.calls.append(call)
        self._workers.append(worker)
        return call

    def _let_go(self, worker: Worker) -> None:
        if worker.is_leaving and not (worker.is_ready and worker.calls):
            self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        import ray

        self._workers.remove(worker)
        ray.kill(worker.actor)


def _call(worker: Worker, piece: Piece, shard: str) -> tuple[Any, Any]:
    """The references to the answer and to the rows."""
    actor = worker.actor
    if piece.mode is Mode.FINISH:
        return actor.finish.remote(shard, *piece.given), None
    if piece.mode is Mode.WORK:
        return actor.work.options(num_returns=2).remote(shard, piece.start, piece.stop, *piece.given)
    if piece.mode is Mode.STEP:
        return actor.step.options(num_returns=2).remote(shard, piece.start, *piece.given)
    reason = "its worker died every time it was tried"
    return actor.quarantine.options(num_returns=2).remote(shard, piece.start, reason, *piece.given)
