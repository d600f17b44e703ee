"""Planned shards through stages of workers, each finished whole, on Ray's actors.

    tasks -> stage 1 workers -> stage 2 workers -> ... -> finish(shard, all its rows) -> report

Rows travel in chunks. A stage sees a list of rows of one shard and gives a list; `finish` sees one whole shard, and
only its small report comes back. Everything is deterministic as long as the callables are: a worker or node that is
lost is replaced, what it had in hand is made again, and a row that kills every worker is found and put aside.

The driver holds references to the chunks in flight, never rows, and so many shards are in flight as keep the workers
busy: its memory does not depend on how many samples a run has.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from orchestration.cluster import ClusterInfo, resources_now
from orchestration.failures import EngineFailed, NoRoom, StageFailed, TooManyQuarantined
from orchestration.flight import Flight
from orchestration.pieces import Mode, Piece, Pieces, Unbearable, after_a_death
from orchestration.pools import Need, Pool, size_pools
from orchestration.workers import IN_HAND, Answer, Call, FinishWorker, Ready, StageWorker, WorkerPool

__all__ = ["EngineFailed", "Limits", "ShardTask", "Stage", "StageFailed", "TooManyQuarantined", "run_shards"]

Row = Any
Report = TypeVar("Report")

FINISH = "commit"  # the last stage of every run
_STAGES_A_FINISHER = 8  # one finisher uploads what this many workers of the widest stage make
_TICK_S = 1.0
_RESIZE_S = 2.0
_LAST_COMMITS_S = 5.0  # finishers may end what they have in hand when a run is stopped


@dataclass(frozen=True)
class ShardTask:
    """A shard to make: its id, and its rows as anything sliceable that pickles (a `range` travels well)."""

    id: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Stage:
    """One step over rows. `make()` runs once a worker; what it gives is called with at most `batch_size` rows.

    It may also be `Careful`: then a row that kills its worker is put aside, where otherwise the run would fail.
    """

    name: str
    make: Callable[[], Callable[[list[Row]], list[Row]]]
    batch_size: int = 32
    workers: int | None = None  # None: as many as fit
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What a run may take. `shards_in_flight` None: as many as keep every worker busy.

    `no_progress_s` bounds how long no worker has anything to do: one at work may take as long as its work takes.
    """

    shards_in_flight: int | None = None
    quarantined: int = 8  # rows that may kill their workers
    no_progress_s: float = 1800.0


def run_shards(
    tasks: Sequence[ShardTask],
    stages: Sequence[Stage],
    make_finish: Callable[[], Callable[[str, list[Row]], Report]],
    cluster: ClusterInfo,
    limits: Limits = Limits(),
    ordered: bool = True,
    watch: Callable[[Flight], None] = lambda flight: None,
) -> Iterator[Report]:
    """The report of every shard, in order unless told otherwise. Closing the iterator stops the run.

    `make_finish()` runs once a worker and gives `finish(shard_id, rows) -> report`. A worker that dies is replaced and
    its chunk, or whole finish, is done again: both have to be repeatable. `watch` is shown what is in flight, every
    second at least.
    """
    if not tasks:
        return
    pools = pools_for(stages, cluster)  # what cannot fit is refused before anything starts
    run = _Run(tasks, _sharing(stages, pools), make_finish, limits, watch)
    try:
        yield from _in_order(run.reports()) if ordered else (report for _, report in run.reports())
        run.is_done = True
    finally:
        run.close()


def pools_for(stages: Sequence[Stage], cluster: ClusterInfo) -> list[Pool]:
    """What each stage would get there. NoRoom says what is missing and what to do."""
    return size_pools([Need(s.name, s.cpus, s.gpus, s.workers) for s in stages], cluster.cpus, cluster.gpus)


def _sharing(stages: Sequence[Stage], pools: Sequence[Pool]) -> list[Stage]:
    """The stages with what each worker truly reserves: on a small machine they share CPUs."""
    return [replace(stage, cpus=pool.cpus) for stage, pool in zip(stages, pools, strict=True)]


def _in_order(reports: Iterator[tuple[int, Any]]) -> Iterator[Any]:
    early: dict[int, Any] = {}
    following = 0
    for shard, report in reports:
        early[shard] = report
        while following in early:
            yield early.pop(following)
            following += 1


@dataclass
class _Run:
    """One run at the driver: pieces, the pools that work on them, and the calls that are under way."""

    tasks: Sequence[ShardTask]
    stages: Sequence[Stage]
    make_finish: Callable[[], Callable[[str, list[Row]], Any]]
    limits: Limits
    watch: Callable[[Flight], None]
    is_done: bool = False
    _calls: dict[Any, tuple[int, Call]] = field(default_factory=dict)  # answer -> stage, call

    def __post_init__(self) -> None:
        import ray

        chunk_rows = max((stage.batch_size for stage in self.stages), default=32)
        rows = [task.rows for task in self.tasks]
        self._pieces = Pieces(rows, len(self.stages), chunk_rows)
        self._chunks_per_shard = max(1, -(-max(len(r) for r in rows) // chunk_rows))
        self._pools = [
            WorkerPool(StageWorker, s.name, ray.put(s.make), s.batch_size, {"num_gpus": s.gpus}) for s in self.stages
        ]
        spread = {"scheduling_strategy": "SPREAD"}
        self._pools.append(WorkerPool(FinishWorker, FINISH, ray.put(self.make_finish), 0, spread))
        self._resized = 0.0
        self._moved = time.monotonic()
        self._deaths = self._quarantined = 0
        self._begun: dict[int, float] = {}

    def reports(self) -> Iterator[tuple[int, Any]]:
        """Shard number and report, as they are finished."""
        done = 0
        while done < len(self.tasks):
            self._resize()
            self._admit()
            self._hand_out()
            for shard, report in self._gather():
                done += 1
                self._pieces.finished(shard)
                del self._begun[shard]
                yield shard, report
            self.watch(self._flight())
            self._check_progress()

    def close(self) -> None:
        """End the workers; finishers that are putting a shard in place may do so."""
        import ray

        for pool in self._pools[:-1]:
            pool.close()
        finishing = [call.answer for call in self._pools[-1].calls() if call.piece is not None]
        try:
            if finishing and not self.is_done:
                ray.wait(finishing, num_returns=len(finishing), timeout=_LAST_COMMITS_S)
        finally:
            self._pools[-1].close()

    def _resize(self) -> None:
        """Pools follow the cluster: nodes that join get workers, those that leave are not waited for."""
        now = time.monotonic()
        if now - self._resized < _RESIZE_S and self._resized:
            return
        self._resized = now
        cpus, gpus = resources_now()
        needs = [Need(s.name, s.cpus, s.gpus, s.workers) for s in self.stages]
        try:
            sizes = size_pools(needs, cpus, gpus)
        except NoRoom:
            sizes = None  # it fitted when the run began; what was lost may come back
        left = (len(self.tasks) - self._pieces.admitted + len(self._pieces.open)) * self._chunks_per_shard
        for number, pool in enumerate(self._pools[:-1]):
            wanted = sizes[number].workers if sizes else pool.target
            cpus = sizes[number].cpus if sizes else self.stages[number].cpus
            self._start(number, min(wanted, max(1, left)), cpus)
        widest = max((pool.target for pool in self._pools[:-1]), default=1)
        self._start(len(self.stages), min(max(1, widest // _STAGES_A_FINISHER), len(self.tasks)), 0)

    def _start(self, number: int, target: int, cpus: float) -> None:
        for call in self._pools[number].resize(target, cpus):
            self._calls[call.answer] = (number, call)

    def _most_in_flight(self) -> int:
        if self.limits.shards_in_flight is not None:
            return self.limits.shards_in_flight
        chunks = IN_HAND * sum(pool.target for pool in self._pools[:-1])
        return 1 + -(-chunks // self._chunks_per_shard)

    def _admit(self) -> None:
        while not self._pieces.is_all_admitted and len(self._pieces.open) < self._most_in_flight():
            self._begun[self._pieces.admitted] = time.monotonic()
            self._pieces.admit()

    def _hand_out(self) -> None:
        for number, pool in enumerate(self._pools):
            while self._pieces.is_waiting(number) and pool.has_room(self._pieces.oldest(number)):
                piece = self._pieces.take(number)
                call = pool.hand(piece, self.tasks[piece.shard].id)
                self._calls[call.answer] = (number, call)

    def _gather(self) -> Iterator[tuple[int, Any]]:
        """Wait for answers, and settle them; shards that they finish."""
        import ray

        ready, waiting = ray.wait(list(self._calls), num_returns=1, timeout=_TICK_S)
        if ready and waiting:
            more, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
            ready += more
        for answer in ready:
            if answer in self._calls:  # else settled with another call of the same worker
                yield from self._settle(answer)

    def _settle(self, answer: Any) -> Iterator[tuple[int, Any]]:
        import ray

        number, call = self._calls.pop(answer)
        try:
            said = ray.get(answer)
        except ray.exceptions.RayError as error:
            yield from self._lost(number, call, error)
            return
        self._moved = time.monotonic()
        if isinstance(said, Ready):
            if said.failure is not None:
                raise said.failure.as_exception()
            self._pools[number].started(call.worker, said)
        elif call.piece is not None:
            self._pools[number].answered(call)
            yield from self._answered(call.piece, call, said)

    def _answered(self, piece: Piece, call: Call, answer: Answer) -> Iterator[tuple[int, Any]]:
        if answer.failure is not None:
            raise answer.failure.as_exception()
        if piece.mode is Mode.FINISH:
            yield piece.shard, answer.report
            return
        if piece.mode is Mode.QUARANTINE:
            self._count_quarantined(piece)
        if piece.mode is Mode.WORK:
            self._pieces.worked(piece, call.rows, answer.rows, call.worker.node)
        else:
            self._pieces.stepped(piece, call.rows, answer.is_done, call.worker.node)

    def _lost(self, number: int, call: Call, error: Exception) -> Iterator[tuple[int, Any]]:
        """A call without an answer: its input is gone, or its worker is."""
        import ray

        if call.worker not in self._pools[number]:
            return  # let go before it was placed
        cause = getattr(error, "cause", None)
        if call.piece is not None and any(isinstance(e, ray.exceptions.ObjectLostError) for e in (error, cause)):
            self._pools[number].answered(call)
            self._pieces.lost(call.piece)
            return
        if getattr(error, "actor_init_failed", False):
            said = str(error).strip().splitlines()[-1]
            raise EngineFailed(f"workers of stage {self._pools[number].name} cannot be made: {said}")
        if isinstance(error, ray.exceptions.RayTaskError):
            raise EngineFailed(f"a worker of stage {self._pools[number].name} failed outside its work: {error}")
        yield from self._died(number, call, error)

    def _died(self, number: int, call: Call, error: Exception) -> Iterator[tuple[int, Any]]:
        """A worker is gone. All that it had in hand is under suspicion, unless its node went or the network did.

        Which piece it died on is not known: the answer to the one before may have been lost with it.
        """
        import ray

        pool, worker = self._pools[number], call.worker
        held = [other for other in worker.calls if other.answer in self._calls or other is call]
        answered, _ = ray.wait([o.answer for o in held if o is not call] or [call.answer], timeout=0)
        by_itself = isinstance(error, ray.exceptions.ActorDiedError) and not self._is_gone(worker.node, error)
        for other in held:
            self._calls.pop(other.answer, None)
            if other is not call and other.answer in answered and _has_answer(other.answer):
                self._calls[other.answer] = (number, other)
                yield from self._settle(other.answer)
            elif other.piece is not None:
                self._again(pool, other.piece, to_blame=by_itself)
        self._deaths += by_itself
        pool.died(worker, by_itself=by_itself)
        self._resized = 0.0

    def _is_gone(self, node: str, error: Exception) -> bool:
        """Whether a worker went with its node: then nothing that it had in hand is to blame."""
        import ray

        alive = {each["NodeID"] for each in ray.nodes() if each["Alive"]}
        return "its node has died" in str(error) or bool(node and node not in alive)

    def _again(self, pool: WorkerPool, piece: Piece, *, to_blame: bool) -> None:
        shard = self.tasks[piece.shard].id
        try:
            parts = after_a_death(piece) if to_blame else [piece]
        except Unbearable:
            raise EngineFailed(
                f"workers of stage {pool.name} die, one after the other, {_dying_on(piece.mode, shard)}"
            ) from None
        if any(part.mode is Mode.STEP for part in parts) and not pool.is_careful:
            raise EngineFailed(f"a row of shard {shard} kills the workers of stage {pool.name}")
        for part in parts:
            self._pieces.put(part)

    def _count_quarantined(self, piece: Piece) -> None:
        self._quarantined = self._pieces.put_aside(piece)
        if self._quarantined > self.limits.quarantined:
            raise TooManyQuarantined(
                f"{self._quarantined} rows killed their workers in stage {self.stages[piece.stage].name}, "
                f"the last one in shard {self.tasks[piece.shard].id}; {self.limits.quarantined} are borne"
            )

    def _flight(self) -> Flight:
        oldest = next(iter(self._pieces.open), None)
        return Flight(
            oldest=None if oldest is None else self.tasks[oldest].id,
            stage="" if oldest is None else self._stage_of(oldest),
            since_s=0.0 if oldest is None else time.monotonic() - self._begun[oldest],
            in_flight=len(self._pieces.open),
            waiting=len(self.tasks) - self._pieces.admitted,
            deaths=self._deaths,
            quarantined=self._quarantined,
            workers={pool.name: (pool.ready, pool.target) for pool in self._pools},
        )

    def _stage_of(self, shard: int) -> str:
        """The stage that the shard is furthest behind in."""
        at_work = [number for number, call in self._calls.values() if call.piece and call.piece.shard == shard]
        waiting = [number for number in range(len(self._pools)) if self._pieces.waits_for(shard, number)]
        return self._pools[min([*at_work, *waiting], default=0)].name

    def _check_progress(self) -> None:
        """A worker at work is progress, however slow: of its death, or its node's, Ray would tell."""
        now = time.monotonic()
        if any(call.piece is not None for _, call in self._calls.values()):
            self._moved = now
        quiet = now - self._moved
        if quiet > self.limits.no_progress_s:
            raise EngineFailed(f"nothing has moved for {quiet:.0f} s; {self._flight().as_text()}")


def _dying_on(mode: Mode, shard: str) -> str:
    if mode is Mode.QUARANTINE:
        return f"even where they only put aside a row of shard {shard}: is there memory enough for one row?"
    return f"on shard {shard}: is there memory enough for a whole shard?"


def _has_answer(answer: Any) -> bool:
    import ray

    try:
        ray.get(answer)
    except ray.exceptions.RayError:
        return False
    return True
