"""Planned shards through stages of workers, ordered, each finished whole: Ray Data underneath.

    tasks -> [read one chunk] -> stage 1 workers -> stage 2 workers -> ... -> finish(shard, all its rows) -> report

Rows travel in chunks. A stage sees a list of rows of one shard and gives a list; `finish` sees one whole shard, and
only its small report comes back, in order, as shards are done. Everything is deterministic as long as the
callables are.
"""

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from orchestration.cluster import ClusterInfo
from orchestration.pools import Need, Pool, size_pools

Row = Any
Report = TypeVar("Report")
Work = Callable[[list[Row]], list[Row]]

_FINISH = "finish"
_READERS = 2  # without a bound, tasks that hold no CPU start a process each
_STAGES_A_FINISHER = 8  # one finisher uploads what this many workers of the widest stage make


@dataclass(frozen=True)
class ShardTask:
    """A shard to make: its id, and its rows as anything sliceable that pickles (a `range` travels well)."""

    id: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Stage:
    """One step over rows. `make()` runs once a worker; what it gives is called with at most `batch_size` rows."""

    name: str
    make: Callable[[], Work]
    batch_size: int = 32
    workers: int | None = None  # None: as many as fit
    cpus: float = 1.0
    gpus: float = 0.0


class StageFailed(RuntimeError):
    """A stage raised. `__cause__` is what it raised; `trace` its traceback on the worker."""

    def __init__(self, stage: str, shard: str, error: BaseException, trace: str) -> None:
        super().__init__(f"stage {stage} failed on shard {shard}: {type(error).__name__}: {error}")
        self.stage, self.shard, self.trace = stage, shard, trace


class EngineFailed(RuntimeError):
    """Ray itself could not go on: workers or nodes lost beyond its retries, no progress, no resources."""


def run_shards(
    tasks: Sequence[ShardTask],
    stages: Sequence[Stage],
    make_finish: Callable[[], Callable[[str, list[Row]], Report]],
    cluster: ClusterInfo,
    no_progress_timeout_s: float = 1800.0,
) -> Iterator[Report]:
    """The report of every shard, in order, as it is finished. Closing the iterator stops the run.

    `make_finish()` runs once a worker and gives `finish(shard_id, rows) -> report`. A worker that dies is replaced and
    its chunk, or whole finish, is done again: both have to be repeatable.
    """
    if not tasks:
        return
    pools = size_pools([Need(s.name, s.cpus, s.gpus, s.workers) for s in stages], cluster.cpus, cluster.gpus)
    finishers = max(1, max(pool.workers for pool in pools) // _STAGES_A_FINISHER) if pools else 1
    dataset = _dataset(tasks, stages, pools, make_finish, finishers, no_progress_timeout_s)
    yield from _reports(dataset)


def _dataset(
    tasks: Sequence[ShardTask],
    stages: Sequence[Stage],
    pools: Sequence[Pool],
    make_finish: Callable[[], Callable[[str, list[Row]], Any]],
    finishers: int,
    no_progress_timeout_s: float,
) -> Any:
    import ray
    from ray.data import ActorPoolStrategy

    from orchestration.chunks import ShardChunks

    _set_up_ray_data(no_progress_timeout_s)
    chunk_rows = max((stage.batch_size for stage in stages), default=32)
    source = ShardChunks([(task.id, task.rows) for task in tasks], chunk_rows)
    # Reading only names rows: it holds no CPU, so that actors on every CPU cannot starve it.
    dataset = ray.data.read_datasource(
        source, override_num_blocks=len(source), num_cpus=0, concurrency=min(_READERS, len(source))
    )
    for stage, pool in zip(stages, pools, strict=True):
        dataset = dataset.map_batches(
            _StageWorker,
            fn_constructor_args=(stage.name, stage.make, stage.batch_size),
            batch_size=None,  # one chunk a call, never rows of two shards
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=min(pool.workers, len(source))),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
        )
    return dataset.map_batches(
        _FinishWorker,
        fn_constructor_args=(make_finish, source.chunks_per_shard),
        batch_size=source.chunks_per_shard,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=min(finishers, len(tasks))),
        num_cpus=0,
    )


def _set_up_ray_data(no_progress_timeout_s: float) -> None:
    from ray.data import DataContext

    context = DataContext.get_current()
    context.execution_options.preserve_order = True  # chunks of one shard stay together
    context.execution_no_progress_timeout_s = no_progress_timeout_s
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _reports(dataset: Any) -> Iterator[Any]:
    import ray

    from orchestration.chunks import Failure

    try:
        for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for cell in table["report"]:
                report = pickle.loads(cell.as_buffer())
                if isinstance(report, Failure):
                    error = pickle.loads(report.error)
                    raise StageFailed(report.stage, report.shard, error, report.trace) from error
                yield report
    except ray.exceptions.RayError as error:
        raise EngineFailed(f"Ray gave up: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


class _Lazy(Generic[Report]):
    """What `make` gives, made on first use, so that its exception is caught where work is done."""

    def __init__(self, make: Callable[[], Report]) -> None:
        self._make = make
        self._made: list[Report] = []

    def __call__(self) -> Report:
        if not self._made:
            self._made.append(self._make())
        return self._made[0]


class _StageWorker:
    """One worker of a stage, as Ray Data calls it: tables of chunks in, tables of chunks out."""

    def __init__(self, name: str, make: Callable[[], Work], batch_size: int) -> None:
        self._name = name
        self._work = _Lazy(make)
        self._batch_size = batch_size

    def __call__(self, table: Any) -> Any:
        from orchestration.chunks import pack, unpack

        return pack(chunk.then(self._name, self._in_batches) for chunk in unpack(table))

    def _in_batches(self, rows: list[Row]) -> list[Row]:
        size = self._batch_size
        return [row for start in range(0, len(rows), size) for row in self._work()(rows[start : start + size])]


class _FinishWorker:
    """The last step: one whole shard in, one report out."""

    def __init__(self, make: Callable[[], Callable[[str, list[Row]], Any]], chunks_per_shard: int) -> None:
        self._finish = _Lazy(make)
        self._chunks_per_shard = chunks_per_shard

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        return pa.table({"report": pa.array([pickle.dumps(self._report(table), protocol=5)], pa.large_binary())})

    def _report(self, table: Any) -> Any:
        from orchestration.chunks import Failure, unpack

        shards, indices = set(table["shard"].to_pylist()), table["chunk"].to_pylist()
        assert len(shards) == 1, f"a shard arrived mixed with others: {sorted(shards)}"
        assert indices == list(range(self._chunks_per_shard)), f"shard {shards} arrived in pieces: {indices}"
        (shard,) = shards
        rows: list[Row] = []
        for chunk in unpack(table):
            if isinstance(chunk.content, Failure):
                return chunk.content
            rows += chunk.content
        try:
            return self._finish()(shard, rows)
        except Exception as error:
            return Failure.of(_FINISH, shard, error)
