"""The training loop of every family: one process or many, and after any end it goes on where it stopped."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import torch

from generators import family_named
from generators.family import Batch
from orchestration.training import Worker
from pipeline.errors import RunError
from pipeline.model_directory import ModelDirectory
from pipeline.sources.base import Source
from pipeline.training.batches import to_batch
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.data import BatchStream, Order, PairReader, Share, TrainingPair
from pipeline.training.job import Job
from pipeline.training.keeper import Keeper
from pipeline.training.state import NotFiniteError, TrainingState
from pipeline.training.workers import Group

MOST_STEPS_BACK = 3
_SECONDS_BETWEEN_REPORTS = 1.0
_STEPS_AVERAGED = 50


def train(config: Mapping[str, Any], worker: Worker) -> None:
    """What runs on every worker: `config["job"]` says what to train."""
    _Trainer(config["job"], worker).run()


class _Trainer:
    """One worker's part of a training."""

    def __init__(self, job: Job, worker: Worker) -> None:
        self._job, self._worker = job, worker
        device = torch.device("cuda", worker.local_rank) if job.use_gpu else torch.device("cpu")
        self._group = Group(worker.rank, worker.world_size)
        self._checkpoints = Checkpoints(ModelDirectory(job.output).store, job.checkpoints_kept)
        self._source: Source = job.source.open()
        self._paired = family_named(job.family).paired
        self._state = TrainingState(job, device, self._group)
        first = worker.rank == 0
        self._keeper = Keeper(job, self._source, worker.world_size, self._paired) if first else None
        self._recent: deque[Mapping[str, float]] = deque(maxlen=_STEPS_AVERAGED)
        self._reported_at = 0.0

    def run(self) -> None:
        """Train to the end, or until asked to stop; rank 0 then writes the model."""
        self._resume()
        for note in self._state.notes:
            self._worker.report({"event": "note", "note": note})
        try:
            if self._train() and self._keeper is not None:
                self._keeper.finish(self._state, mean_losses(self._recent))
        finally:
            if self._keeper is not None:
                self._keeper.close()

    def _resume(self) -> None:
        saved = self._checkpoints.latest()
        if saved is None:
            return
        _check_same_training(saved["identity"], self._job)
        self._restore(saved)
        self._worker.report({"event": "resumed", "step": self._state.step})

    def _restore(self, saved: Mapping[str, Any]) -> None:
        self._state.load_state_dict(saved["state"])
        if self._keeper is not None:
            self._keeper.load_state_dict(saved["kept"], self._state)
        # Nobody is still reading when damaged checkpoints go: all workers agree here that they have read theirs.
        self._group.any(False, self._state.device)
        if self._keeper is not None:
            self._checkpoints.discard_after(self._state.step)
            if self._keeper.best_missing:
                # While these weights are still those of its stage: the next one starts its average afresh.
                self._keeper.open(self._state, self._job.stages[self._state.stage], self._reader())

    def _reader(self) -> PairReader:
        """The pairs of the stage that training is in."""
        views = self._job.stages[self._state.stage].views
        return PairReader(self._source, views, self._job.cache_bytes, self._paired)

    def _train(self) -> bool:
        """Whether the last step was reached."""
        while True:
            try:
                self._state.enter(self._job.stage_at(self._state.step))
                reader = self._reader()
                if self._keeper is not None:
                    self._keeper.open(self._state, self._job.stages[self._state.stage], reader)
                if self._state.step >= self._job.steps:
                    return True
                if not self._train_stage(reader):
                    return False
            except NotFiniteError as broken:
                self._step_back(broken)

    def _train_stage(self, reader: PairReader) -> bool:
        """Train to the end of the stage; False when asked to stop."""
        job, state = self._job, self._state
        end = job.first_step(state.stage + 1)
        order = Order(reader.alike(job.balance), job.seed, state.attempt)
        share = Share(job.batch_size * job.accumulate, self._worker.rank, self._worker.world_size)
        stream = BatchStream(reader, order, share, job.reading_threads)
        pace = Pace(share.batch_size * share.world_size)
        try:
            for pairs in stream.batches(state.step, end):
                losses = state.train_step(self._batches(pairs))
                self._recent.append(losses)
                self._after_step(losses, pace.step(stream.waited_s), last=state.step == end)
                pace.go_on()
                if state.step < job.steps and self._group.any(self._worker.should_stop(), state.device):
                    self._save()
                    return False
        finally:
            stream.close()
        return True

    def _batches(self, pairs: list[TrainingPair]) -> list[Batch]:
        size = self._job.batch_size
        return [to_batch(pairs[start : start + size], self._state.device) for start in range(0, len(pairs), size)]

    def _after_step(self, losses: Mapping[str, float], speed: Mapping[str, float], last: bool) -> None:
        job, step = self._job, self._state.step
        if self._keeper is not None:
            self._keeper.step(step, losses, speed)
            if last or step % job.samples_every == 0:
                self._keeper.picture(self._state)
        if last or step % job.checkpoint_every == 0:
            self._save()
        if last or time.monotonic() - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
            self._reported_at = time.monotonic()
            self._worker.report(
                {"event": "step", "step": step, "steps": job.steps, "losses": mean_losses(self._recent), **speed}
            )

    def _save(self) -> None:
        broken = self._state.broken_weight()
        if broken is not None:
            raise NotFiniteError(self._state.step, f"weight '{broken}'", float("nan"))
        if self._keeper is not None:
            self._keeper.save(self._state)

    def _step_back(self, broken: NotFiniteError) -> None:
        """Go back to the last good checkpoint and on with other pairs; a loss that breaks again and again is final."""
        attempt = self._state.attempt + 1
        if attempt > MOST_STEPS_BACK:
            raise RunError(
                f"{broken}, after stepping back {MOST_STEPS_BACK} times; lower the learning rate, or train in float32"
            ) from broken
        saved = self._checkpoints.latest()
        if saved is None:
            self._state = TrainingState(self._job, self._state.device, self._group)
            if self._keeper is not None:
                self._keeper.forget()
        else:
            self._restore(saved)
        self._state.attempt = attempt
        self._recent.clear()
        self._worker.report({"event": "stepped_back", "step": self._state.step, "reason": str(broken)})


class Pace:
    """Images a second over the last steps, and the share of their time that went into waiting for pairs.

    The first steps, which fill caches and compile, drop out of it; pictures and checkpoints are no part of it.
    """

    def __init__(self, images_a_step: int) -> None:
        self._images = images_a_step
        self._steps: deque[tuple[float, float]] = deque(maxlen=_STEPS_AVERAGED)  # seconds, of them waited
        self._began, self._waited = time.monotonic(), 0.0

    def step(self, waited_s: float) -> dict[str, float]:
        """A step is done; `waited_s` is the waiting of all steps so far."""
        self._steps.append((time.monotonic() - self._began, waited_s - self._waited))
        self._waited = waited_s
        seconds = sum(took for took, _ in self._steps)
        waited = sum(waited for _, waited in self._steps)
        return {"images_per_s": self._images * len(self._steps) / seconds, "waited_share": waited / seconds}

    def go_on(self) -> None:
        """The next step begins."""
        self._began = time.monotonic()


def mean_losses(steps: deque[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each loss over the steps."""
    return {name: sum(step[name] for step in steps) / len(steps) for name in (steps[0] if steps else ())}


def _check_same_training(saved: Mapping[str, Any], job: Job) -> None:
    """Refuse to go on from checkpoints of another training."""
    theirs, mine = _flat(_with_defaults(saved, job)), _flat(job.identity())
    differences = [
        f"{name}: {theirs.get(name)} there, {mine.get(name)} here"
        for name in sorted(theirs.keys() | mine.keys())
        if theirs.get(name) != mine.get(name)
    ]
    if differences:
        raise RunError(
            f"{job.output}: holds a training with other settings; give another --output, or delete its training/ folder"
            + "".join(f"\n  {line}" for line in differences)
        )


def _with_defaults(saved: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
    """Checkpoints from before a family had an option are those of its default, so that must stand for what was before.

    Files of weights were once told by their paths.
    """
    try:
        config = family_named(str(saved.get("family"))).config.model_validate(saved.get("hyperparameters"))
    except ValueError:
        return saved
    digests = {name: job.digests.get(place, place) for name, place in config.pretrained().items()}
    return {**saved, "hyperparameters": config.model_dump(mode="json") | digests}


def _flat(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters by their own names, as they are set: people look for the one that differs."""
    rest = {name: value for name, value in identity.items() if name != "hyperparameters"}
    return rest | {f"model.{name}": value for name, value in (identity.get("hyperparameters") or {}).items()}
