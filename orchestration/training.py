"""A training loop on one or many workers, through Ray Train; knows nothing of what is trained.

Resuming is the loop's own affair: it is called again after a lost worker and finds its own checkpoints. Errors the loop
raises are final and come back as they were raised; only processes and machines that vanish are retried.
"""

import contextlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration.failures import EngineFailed
from orchestration.mailbox import Mailbox, Report
from orchestration.memory import keep_freed_memory

_POLL_S = 0.3
_GRACE_S = 60.0
# A worker answers within milliseconds; Ray Train's own two seconds between looks would only add to every short run.
_QUICK_ENVIRONMENT = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_CONTROLLER_STRUCTURED_LOGGING": "0",
    "RAY_TRAIN_ENABLE_WORKER_STRUCTURED_LOGGING": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
}


@dataclass
class Worker:
    """Where a loop runs: its rank among how many, and the line back to whoever started it."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    mailbox: Any = None
    _answer: Any = field(default=None, repr=False)
    _stop: bool = False

    def report(self, report: Report) -> None:
        """Send a report from rank 0; other ranks are silent."""
        if self.rank == 0 and self.mailbox is not None:
            self._answer = self.mailbox.post.remote([dict(report)])

    def should_stop(self) -> bool:
        """Whether the driver asked for an end; costs nothing while the answer is on its way."""
        import ray

        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            self._stop = self._stop or ray.get(self._answer)
            self._answer = None
        return self._stop


Loop = Callable[[Mapping[str, Any], Worker], None]


def run_training(
    loop: Loop,
    loop_config: Mapping[str, Any],
    *,
    name: str,
    storage_path: str,
    num_workers: int = 1,
    cpus_per_worker: float = 1,
    use_gpu: bool = False,
    max_failures: int = 3,
    on_report: Callable[[Report], None] = lambda report: None,
) -> None:
    """Run `loop(loop_config, worker)` on every worker to its end; Ray has to be connected.

    On Ctrl-C the workers are asked to stop after their step and are given a minute before the interrupt goes on.
    """
    import ray

    for key, value in _QUICK_ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
    # The trainer runs beside this thread, which alone hears Ctrl-C and alone calls `on_report`.
    fit = _Fit(
        _trainer(loop, loop_config, mailbox, name, storage_path, num_workers, cpus_per_worker, use_gpu, max_failures)
    )
    fit.start()
    try:
        _pump(fit, mailbox, on_report)
    except KeyboardInterrupt:
        mailbox.stop.remote()
        _pump(fit, mailbox, on_report, time.monotonic() + _GRACE_S)
        raise
    failure = ray.get(mailbox.failure.remote())
    ray.kill(mailbox)
    if failure is not None:
        raise pickle.loads(failure)
    if fit.error is not None:
        raise EngineFailed(f"training workers were lost {max_failures + 1} times: {fit.error}") from fit.error


class _Fit(threading.Thread):
    def __init__(self, trainer: Any) -> None:
        super().__init__(name="ray-train", daemon=True)
        self._trainer = trainer
        self.error: BaseException | None = None
        # Not `join`: Python 3.11 takes a thread whose join is interrupted for one that has ended.
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._trainer.fit()
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()


def _pump(fit: _Fit, mailbox: Any, on_report: Callable[[Report], None], deadline_s: float = float("inf")) -> None:
    import ray

    running = True
    while running and time.monotonic() < deadline_s:
        running = not fit.ended.wait(_POLL_S)
        for report in ray.get(mailbox.drain.remote()):
            on_report(report)


def _trainer(
    loop: Loop,
    loop_config: Mapping[str, Any],
    mailbox: Any,
    name: str,
    storage_path: str,
    num_workers: int,
    cpus_per_worker: float,
    use_gpu: bool,
    max_failures: int,
) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    def on_worker(config: dict[str, Any]) -> None:
        _run_loop(loop, config, mailbox)

    resources = {"CPU": cpus_per_worker} | ({"GPU": 1} if use_gpu else {})
    return TorchTrainer(
        on_worker,
        train_loop_config=dict(loop_config),
        scaling_config=ScalingConfig(num_workers=num_workers, use_gpu=use_gpu, resources_per_worker=resources),
        run_config=RunConfig(
            name=name, storage_path=storage_path, failure_config=FailureConfig(max_failures=max_failures)
        ),
    )


def _run_loop(loop: Loop, config: dict[str, Any], mailbox: Any) -> None:
    import ray
    from ray.train import get_context

    if ray.get(mailbox.failure.remote()) is not None:
        return  # called again after a failure that is final
    keep_freed_memory()
    context = get_context()
    worker = Worker(context.get_world_rank(), context.get_world_size(), context.get_local_rank(), mailbox)
    try:
        loop(config, worker)
    except Exception as error:
        ray.get(mailbox.fail.remote(_pickled(error)))
        # A lone worker ends in peace; the others of a group have to be torn out of waiting for it.
        if worker.world_size > 1:
            raise


def _pickled(error: Exception) -> bytes:
    with contextlib.suppress(Exception):
        data = pickle.dumps(error)
        pickle.loads(data)
        return data
    return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
