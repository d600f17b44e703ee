"""The training loop of every family: one process or many, and after any end it goes on where it stopped."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import torch

from orchestration.training import Worker
from pipeline.errors import RunError
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary
from pipeline.sources.base import Source
from pipeline.training.batches import to_batch
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.data import BatchStream, Order, PairReader, Share, TrainingPair
from pipeline.training.job import Job
from pipeline.training.samples import Watch
from pipeline.training.state import NotFiniteError, TrainingState
from pipeline.training.workers import Group

MOST_STEPS_BACK = 3
_SECONDS_BETWEEN_REPORTS = 1.0
_STEPS_AVERAGED = 50
_PAIRS_WATCHED = 4


def train(config: Mapping[str, Any], worker: Worker) -> None:
    """What runs on every worker: `config["job"]` says what to train."""
    _Trainer(config["job"], worker).run()


class _Trainer:
    """One worker's part of a training."""

    def __init__(self, job: Job, worker: Worker) -> None:
        self._job, self._worker = job, worker
        device = torch.device("cuda", worker.local_rank) if job.use_gpu else torch.device("cpu")
        self._group = Group(worker.rank, worker.world_size)
        self._directory = ModelDirectory(job.output)
        self._checkpoints = Checkpoints(self._directory.store, job.checkpoints_kept)
        self._source: Source = job.source.open()
        self._reader = PairReader(self._source, job.views, job.cache_bytes, paired=_is_paired(job.family))
        self._state = TrainingState(job, device, self._group)
        self._recent: deque[Mapping[str, float]] = deque(maxlen=_STEPS_AVERAGED)
        self._reported_at = 0.0

    def run(self) -> None:
        """Train to the end, or until asked to stop; rank 0 then writes the model."""
        self._resume()
        for note in self._state.system.fallbacks() if self._worker.rank == 0 else ():
            self._worker.report({"event": "note", "note": note})
        watch = self._watch() if self._worker.rank == 0 else None
        try:
            done = self._train(watch)
        finally:
            if watch is not None:
                watch.close()
        if done and self._worker.rank == 0:
            self._write_model()

    def _resume(self) -> None:
        saved = self._checkpoints.latest()
        if saved is None:
            return
        _check_same_training(saved["identity"], self._job)
        self._state.load_state_dict(saved["state"])
        self._worker.report({"event": "resumed", "step": self._state.step})

    def _watch(self) -> Watch:
        size = len(self._reader)
        spread = sorted({round(i * (size - 1) / max(1, _PAIRS_WATCHED - 1)) for i in range(_PAIRS_WATCHED)})
        unseen = Order(size, self._job.seed)
        pairs = [self._reader.view(index, unseen.view_rng(index)) for index in spread]
        return Watch(self._directory.store, self._job.catalog, pairs)

    def _train(self, watch: Watch | None) -> bool:
        """Whether the last step was reached."""
        while self._state.step < self._job.steps:
            try:
                if not self._train_on(watch):
                    return False
            except NotFiniteError as broken:
                self._step_back(broken)
        return True

    def _train_on(self, watch: Watch | None) -> bool:
        """Train from where the state is; False when asked to stop."""
        job, state = self._job, self._state
        order = Order(len(self._reader), job.seed, state.attempt)
        share = Share(job.batch_size * job.accumulate, self._worker.rank, self._worker.world_size)
        stream = BatchStream(self._reader, order, share, job.reading_threads)
        began, first = time.monotonic(), state.step
        try:
            for pairs in stream.batches(state.step, job.steps):
                losses = state.train_step(self._batches(pairs))
                self._recent.append(losses)
                elapsed = time.monotonic() - began
                rate = (state.step - first) * len(pairs) * share.world_size / elapsed
                self._after_step(watch, losses, {"images_per_s": rate, "waited_share": stream.waited_s / elapsed})
                if state.step < job.steps and self._group.any(self._worker.should_stop(), state.device):
                    self._save()
                    return False
        finally:
            stream.close()
        return True

    def _batches(self, pairs: list[TrainingPair]) -> list[Any]:
        size = self._job.batch_size
        return [to_batch(pairs[start : start + size], self._state.device) for start in range(0, len(pairs), size)]

    def _after_step(self, watch: Watch | None, losses: Mapping[str, float], speed: Mapping[str, float]) -> None:
        job, step = self._job, self._state.step
        last = step == job.steps
        if watch is not None:
            watch.losses(step, losses)
            if last or step % job.samples_every == 0:
                watch.grid(self._state)
        if last or step % job.checkpoint_every == 0:
            self._save()
            if watch is not None:
                watch.flush()
        if last or time.monotonic() - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
            self._reported_at = time.monotonic()
            self._worker.report(
                {"event": "step", "step": step, "steps": job.steps, "losses": mean_losses(self._recent), **speed}
            )

    def _save(self) -> None:
        state = self._state
        if not state.is_finite():
            raise NotFiniteError(state.step, "weights", float("nan"))
        if self._worker.rank == 0:
            self._checkpoints.save(state.step, {"identity": self._job.identity(), "state": state.state_dict()})

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
        else:
            self._state.load_state_dict(saved["state"])
        self._state.attempt = attempt
        self._recent.clear()
        self._worker.report({"event": "stepped_back", "step": self._state.step, "reason": str(broken)})

    def _write_model(self) -> None:
        job, state = self._job, self._state
        losses = mean_losses(self._recent)
        summary = TrainingSummary(
            source=job.source.model_dump(mode="json"),
            source_fingerprint=self._source.fingerprint(),
            pairs=len(self._reader),
            steps=state.step,
            batch_size=job.batch_size * job.accumulate * self._worker.world_size,
            seed=job.seed,
            precision=state.precision,
            losses=losses,
            notes=tuple(state.system.fallbacks()),
        )
        facts = ModelFacts(job.name, job.family, job.config, job.catalog, job.views.resolution, summary)
        if not self._directory.holds(state.step):
            self._directory.write(facts, state.trained_generator(), state.system.encoder)


def mean_losses(steps: deque[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each loss over the steps."""
    return {name: sum(step[name] for step in steps) / len(steps) for name in (steps[0] if steps else ())}


def _is_paired(family: str) -> bool:
    from generators import family_named

    return family_named(family).paired


def _check_same_training(saved: Mapping[str, Any], job: Job) -> None:
    """Refuse to go on from checkpoints of another training."""
    mine = job.identity()
    differences = [
        f"{name}: {saved.get(name)} there, {mine.get(name)} here"
        for name in sorted(saved.keys() | mine.keys())
        if saved.get(name) != mine.get(name)
    ]
    if differences:
        raise RunError(
            f"{job.output}: holds a training with other settings; give another --output, or delete its training/ folder"
            + "".join(f"\n  {line}" for line in differences)
        )
