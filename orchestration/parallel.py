"""A parallel map, on the same engine as shards: for style fitting, bank building, source checks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

from orchestration.cluster import ClusterInfo
from orchestration.shard_engine import ShardTask, Stage, run_shards

T = TypeVar("T")
R = TypeVar("R")


def map_parallel(
    make: Callable[[], Callable[[T], R]],
    items: Sequence[T],
    cluster: ClusterInfo,
    name: str = "map",
    batch_size: int = 16,
    workers: int | None = None,
    gpus: float = 0.0,
    ordered: bool = True,
) -> Iterator[R]:
    """`work(item)` of every item, in order unless told otherwise, where `work = make()` is made once a worker.

    StageFailed when it raises.
    """
    starts = range(0, len(items), batch_size)
    tasks = [ShardTask(f"{name}[{start}]", items[start : start + batch_size]) for start in starts]
    stage = Stage(name, _EachItem(make), batch_size, workers, cpus=0.0 if gpus else 1.0, gpus=gpus)
    for results in run_shards(tasks, [stage], _keep_results, cluster, ordered=ordered):
        yield from cast(list[R], results)


class _EachItem:
    """Makes a worker of lists from one of items."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._make = make

    def __call__(self) -> Callable[[list[Any]], list[Any]]:
        work = self._make()
        return lambda items: [work(item) for item in items]


def _keep_results() -> Callable[[str, list[Any]], list[Any]]:
    return lambda _shard, results: results
