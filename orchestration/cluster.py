"""Connecting to Ray: a cluster by address, or one started inside this process."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

# Label maps travel compressed and images stay where they are made, so the embedded object store is kept small.
_MOST_OBJECT_STORE_BYTES = 2 * 1024**3
_SHARE_OF_MEMORY = 0.2

# Read by Ray when it is imported or started; a value the user has set stays.
_QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # silences a warning about CUDA_VISIBLE_DEVICES on CPU machines
    "RAY_DEDUP_LOGS": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its C++ core writes warnings about itself on the user's terminal
    # Threads of torch that spin while they wait for one another take the cores from the readers and from each other:
    # a training step with anything beside it took ten times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
}
# Whether daemons listen on the address of the machine, or on loopback alone: whoever reaches them runs code. The name
# speaks of the systems where loopback is Ray's own default; it is heeded on all.
_ON_THE_NETWORK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


_LOG = logging.getLogger(__name__)
_MOST_ASKED_FOR = 1000
_LONGEST_WAIT_S = 1800.0
_WAIT_STEP_S = 5.0
_STARTS = 3
_LEAST_FREE_BYTES = 16 * 1024**2  # less, and its daemons wait for one another's files until they time out


class Demand(Protocol):
    """What one worker holds."""

    @property
    def cpus(self) -> float: ...

    @property
    def gpus(self) -> float: ...


@dataclass(frozen=True)
class Room:
    """A demand by itself."""

    cpus: float
    gpus: float


@dataclass(frozen=True)
class ClusterInfo:
    """What a run has to work with."""

    address: str
    embedded: bool
    nodes: int
    cpus: float
    gpus: float


def connect(address: str | None = None, num_cpus: int | None = None, num_gpus: int | None = None) -> ClusterInfo:
    """Join the cluster at `address` (or RAY_ADDRESS), else start Ray inside this process; a second call is free.

    `num_cpus` and `num_gpus` size an embedded Ray only: a cluster knows its own.
    """
    for name, value in _QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    embedded = address == "local"
    if embedded:
        os.environ.setdefault(_ON_THE_NETWORK, "0")
    import ray

    if not ray.is_initialized():
        with _keeping_sigterm(), _without_stderr():
            if embedded:
                _start_embedded(num_cpus, num_gpus)
            else:
                _join(address)
            _keep_off_stdout()
    nodes = sum(1 for node in ray.nodes() if node["Alive"])
    return ClusterInfo(address, embedded, nodes, *resources_now())


def resources_now() -> tuple[float, float]:
    """CPUs and GPUs of the cluster at this moment: nodes join and leave."""
    import ray

    resources = ray.cluster_resources()
    return resources.get("CPU", 0.0), resources.get("GPU", 0.0)


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Ray puts its own handlers in place, which print a stack and leave with 15; whoever had one keeps it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Ray's C++ core announces itself on file descriptor 2, whatever it is told; failures come as exceptions."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def asking_for(workers: Sequence[Demand], cluster: ClusterInfo, most: int) -> Iterator[Callable[[int], None]]:
    """While the block runs, an autoscaler is asked for room for up to `most` workers of the hungriest kind.

    It sees only what waits, and a run starts no more workers than fit: a cluster that may grow would never do so. The
    block is given a function to call with how many are of use yet: what was asked for stays asked for, and would keep
    nodes that have nothing left to do.
    """
    if cluster.embedded or not workers:
        yield lambda left: None
        return
    from ray.autoscaler.sdk import request_resources

    hungriest = max(workers, key=lambda worker: (worker.gpus, worker.cpus))
    bundle = {name: amount for name, amount in (("CPU", hungriest.cpus), ("GPU", hungriest.gpus)) if amount}
    asked = min(most, _MOST_ASKED_FOR)
    request_resources(bundles=[bundle] * asked)

    def ask_for_less(left: int) -> None:
        nonlocal asked
        if left < asked:
            asked = left
            request_resources(bundles=[bundle] * left)

    try:
        yield ask_for_less
    finally:
        _forget_request(request_resources)


def _forget_request(request_resources: Callable[..., None]) -> None:
    """A cluster that is gone cannot be told, and how the run ended matters more than that."""
    try:
        request_resources(bundles=[])
    except Exception as error:  # Ray, gRPC and this process, once disconnected, each have their own
        said = str(error).strip().partition("\n")[0]
        _LOG.warning("the autoscaler may still be asked for workers, docs/cluster.md says how to clear it: %s", said)


def wait_for_workers(cluster: ClusterInfo, gpus: float, tell: Callable[[str], None]) -> ClusterInfo:
    """The cluster once it has a node that works: one that scales from zero begins with a head alone."""
    wanted = [Room(1.0, 0.0), *([Room(0.0, gpus)] if gpus else [])]
    with asking_for(wanted, cluster, most=1):
        deadline = time.monotonic() + _LONGEST_WAIT_S
        while not cluster.embedded and (cluster.cpus < 1 or cluster.gpus < min(gpus, 1)):
            if time.monotonic() > deadline:
                raise ConnectionError(f"no worker joined the cluster at {cluster.address} in {_LONGEST_WAIT_S:.0f} s")
            tell(f"waiting for workers: the cluster has {cluster.cpus:g} CPUs and {cluster.gpus:g} GPUs")
            time.sleep(_WAIT_STEP_S)
            cluster = connect(cluster.address)
    return cluster


def shutdown() -> None:
    """Leave the cluster; an embedded Ray ends with it. Does nothing when not connected."""
    # Not imported here: after an interrupt in the middle of importing Ray a second attempt raises something else.
    ray = sys.modules.get("ray")
    if ray is not None and hasattr(ray, "is_initialized") and ray.is_initialized():
        ray.shutdown()


def _start_embedded(num_cpus: int | None, num_gpus: int | None) -> None:
    """Ray gives its own processes half a minute to start; a machine that is busy with others may need longer.

    What a start that failed leaves behind ends with this process.
    """
    import ray

    where = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    if os.path.isdir(where) and shutil.disk_usage(where).free < _LEAST_FREE_BYTES:
        raise ConnectionError(
            f"no space left in {where} for its sockets and logs; make room, or set RAY_TMPDIR to another folder"
        )
    for attempt in range(1, _STARTS + 1):
        try:
            _start_once(num_cpus, num_gpus)
        except Exception as error:  # Ray raises bare ones here
            ray.shutdown()
            if "timed out during startup" not in str(error) or attempt == _STARTS:
                said = str(error).strip().partition("\n")[0] or type(error).__name__
                raise ConnectionError(
                    f"it did not start on this machine: {said}; is there memory, and space in {where} (set RAY_TMPDIR "
                    "to another folder)? Then run the same command again"
                ) from error
        else:
            return


def _start_once(num_cpus: int | None, num_gpus: int | None) -> None:
    import ray

    ray.init(
        address="local",
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        include_dashboard=False,
        object_store_memory=_object_store_bytes(),
        logging_level=logging.ERROR,
        log_to_driver=False,
        configure_logging=True,
    )


def _join(address: str) -> None:
    import ray

    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.AuthenticationError) as error:
        where = urlsplit(address).netloc or address
        raise ConnectionError(f"no Ray cluster answers at {where}: {error}") from error


def _keep_off_stdout() -> None:
    """Ray prints what its nodes complain of, such as a lost worker, on stdout, which belongs to results.

    A run tells of lost workers itself.
    """
    from ray._private import worker

    worker.print_to_stdstream = _discard  # no setting turns it off


def _discard(*_said: Any, **_how: Any) -> None:
    """For what nobody should read."""


def _object_store_bytes() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(_MOST_OBJECT_STORE_BYTES, int(memory * _SHARE_OF_MEMORY))
