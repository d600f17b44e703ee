"""The workers of a run: how many of which kind, derived from the cluster or as the command line asks."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestration.cluster import ClusterInfo
from orchestration.failures import NoRoom
from orchestration.shard_engine import Stage, pools_for
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import Judging
from pipeline.errors import InputError, RunError

EDIT, RENDER = "edit", "render"

# Samples that travel together. Each costs the driver some milliseconds, so a shard is a few of them however large it
# is, and yet more than one, so that a shard is rendered while it is still being edited.
_LEAST_BATCH, _MOST_BATCH = 8, 64  # what dies with a worker is made again: not too much of it
_BATCHES_A_SHARD = 4

# Torch sums in another order for another number of threads, and images would differ in their last bits from machine to
# machine, and between a run and the one that resumes it. One it is: of two, each waits for the other again and again
# while editing has a core. More CPUs get more workers instead.
RENDER_THREADS = 1
_CPUS_A_RENDERER = 0.5  # that has no GPU: one for every CPU, beside half as many editors, which need much less time


@dataclass(frozen=True)
class Wish:
    """What the command line asks of the cluster; None is derived from it."""

    gpus_per_actor: float | None = None
    cpu_workers: int | None = None
    max_in_flight: int | None = None

    def check(self) -> None:
        """InputError where Ray could never give what is asked."""
        gpus = self.gpus_per_actor
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            raise InputError(f"--gpus-per-actor {gpus:g}: more than one GPU has to be a whole number")


DERIVED = Wish()


def stages_of(job: AugmentJob, cluster: ClusterInfo, judging: Judging | None, wish: Wish) -> list[Stage]:
    """The stages of a run on this cluster. RunError with advice where they do not fit on it together."""
    gpus = wish.gpus_per_actor if wish.gpus_per_actor is not None else float(cluster.gpus >= 1)
    batch = min(_MOST_BATCH, max(_LEAST_BATCH, math.ceil(job.plan.samples_per_shard / _BATCHES_A_SHARD)))
    edit = Stage(EDIT, partial(make_editor, job), batch, workers=wish.cpu_workers)
    make = partial(make_renderer, job, judging)
    # A worker that has a GPU holds no CPU: editing can take every CPU there is and starves nobody.
    cpus = 0.0 if gpus else _CPUS_A_RENDERER if wish.cpu_workers is None else 1.0
    render = Stage(RENDER, make, batch, cpus=cpus, gpus=gpus)
    stages = [edit, render]
    try:
        pools_for(stages, cluster)
    except NoRoom as error:
        raise RunError(f"the cluster is too small: {error}; see --cpu-workers and --gpus-per-actor") from None
    return stages


def check_room(job: AugmentJob, cluster: ClusterInfo, wish: Wish) -> list[str]:
    """Before anything is started: RunError where the stages do not fit, advice where one will wait for the other."""
    edit, render = pools_for(stages_of(job, cluster, None, wish), cluster)
    if render.gpus and edit.workers < render.workers:
        return [
            f"{edit.workers} workers edit for {render.workers} that render on GPUs and may wait for them; "
            f"a cluster with {render.workers} CPUs or more would not make them wait"
        ]
    return []


def device_of(stages: list[Stage]) -> str:
    """What the render stage computes on."""
    return "GPU" if any(stage.gpus for stage in stages) else "CPU"


def make_editor(job: AugmentJob) -> Callable[[list[Any]], list[Any]]:
    """One worker of the edit stage."""
    from pipeline.augment.editing import Editor

    return Editor(job)


@contextmanager
def render_threads() -> Iterator[None]:
    """As many threads as renderers have, for what is computed elsewhere and must come out the same on any machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(RENDER_THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def make_renderer(job: AugmentJob, judging: Judging | None) -> Callable[[list[Any]], list[Any]]:
    """One worker of the render stage: on the GPU that Ray gave it, else on the CPU."""
    import torch

    from generators.inference import Renderer
    from pipeline.augment.rendering import RenderWorker

    torch.set_num_threads(RENDER_THREADS)
    return RenderWorker(job, Renderer(job.model.load_generator()), judging)
