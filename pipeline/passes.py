"""A pass that looks at each item by itself: in this process, or on every GPU or CPU of a cluster."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from orchestration.cluster import ClusterInfo, connect, shutdown
from orchestration.parallel import map_parallel
from pipeline.engine_failures import in_words

T = TypeVar("T")
R = TypeVar("R")

_BATCHES_PER_WORKER = 4  # few, so that starting one costs little; several, so that all end together
_LARGEST_BATCH = 16

Make = Callable[[], Callable[[T], R]]


def each(make: Make[T, R], items: Sequence[T], cluster: ClusterInfo | None, name: str) -> Iterator[R]:
    """`look(item)` of every item, in order, where `look = make()` is made once here, or once a worker of the cluster.

    `make` pickles. Errors of synthgen that a worker raises are raised here.
    """
    if cluster is None:
        yield from map(make(), items)
        return
    workers = max(1, int(cluster.gpus or cluster.cpus))
    batch = max(1, min(_LARGEST_BATCH, len(items) // (_BATCHES_PER_WORKER * workers)))
    with in_words():
        yield from map_parallel(make, items, cluster, name, batch, gpus=1.0 if cluster.gpus >= 1 else 0.0)


@contextmanager
def workers(address: str | None) -> Iterator[ClusterInfo | None]:
    """The cluster at an address; without one, Ray on this machine where it has several GPUs, else this process: None.

    Left when the block ends.
    """
    if address is None and "RAY_ADDRESS" not in os.environ and torch.cuda.device_count() < 2:
        yield None
        return
    try:
        yield connect(address)
    finally:
        shutdown()
