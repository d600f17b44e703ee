"""What the first worker keeps of a training: pictures, curves, checkpoints, the best model so far, the report."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch

from generators.family import Batch
from pipeline.glance import spread
from pipeline.model_directory import TRAINING, ModelDirectory, ModelFacts, TrainingSummary, open_model
from pipeline.sources.base import Source
from pipeline.training.averaged import Rendering
from pipeline.training.batches import to_batch, to_images
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.data import Order, PairReader, TrainingPair
from pipeline.training.history import History
from pipeline.training.job import Job, Stage
from pipeline.training.patch_distance import patch_distance
from pipeline.training.report import training_report
from pipeline.training.samples import Watch
from pipeline.training.state import TrainingState

BEST = f"{TRAINING}/best"
REPORT = "report.html"
HISTORY = f"{TRAINING}/history.json"
_PAIRS_WATCHED = 4


class Best(NamedTuple):
    """The step whose images came nearest to the photographs."""

    step: int
    distance: float


class Keeper:
    """The records of one training, in its model directory."""

    def __init__(self, job: Job, source: Source, world_size: int, paired: bool) -> None:
        self._job, self._source, self._world_size, self._paired = job, source, world_size, paired
        self._directory = ModelDirectory(job.output)
        self._checkpoints = Checkpoints(self._directory.store, job.checkpoints_kept)
        self.history = History()
        self.best: Best | None = None
        self.best_missing = False  # a kill kept it from being written
        self._watch: Watch | None = None
        self._stepped_at = time.monotonic()

    def load_state_dict(self, kept: Mapping[str, Any], state: TrainingState) -> None:
        """Go on from what a checkpoint holds; `open` then writes a best model that a kill kept from being written."""
        self.history.load_state_dict(kept["history"])
        self.best = Best(*kept["best"]) if kept["best"] else None
        if kept.get("judged_on", self._judged_on) != self._judged_on:
            # Distances to other photographs say nothing about these.
            self.history.measured, self.best = [], None
        # Only the step of this very checkpoint can lack its model: every later one was saved after it was written.
        self.best_missing = self.best is not None and self.best.step == state.step

    def forget(self) -> None:
        """Begin again: training stepped back to its start."""
        self.history, self.best = History(), None

    def open(self, state: TrainingState, stage: Stage, trained_on: PairReader) -> None:
        """Look at the pairs of this stage from here on."""
        if self._watch is None:
            self._watch = Watch(self._directory.store, self._job.catalog, state.step)
        reader = PairReader(self._source, stage.views, 0)
        unseen = Order(reader.alike(self._job.balance), self._job.seed)
        self._pairs = [
            reader.view(index, unseen.view_rng(index)) for index in spread(range(len(reader)), _PAIRS_WATCHED)
        ]
        self._rendering = Rendering(state, lambda: self._batches(trained_on, unseen, state), self._job.seed)
        # The best model is a whole one: what is smaller, or sees other pictures, does not compete.
        whole = (stage.config, stage.views) == (self._job.config, self._job.views)
        self._judged = self._held_out(stage) if whole else []
        if self.best_missing:
            self._write_best(state)
        self.best_missing = False

    def step(self, step: int, losses: Mapping[str, float], speed: Mapping[str, float]) -> None:
        """Keep the numbers of a step."""
        assert self._watch is not None
        now = time.monotonic()
        self.history.add(step, {**losses, **speed, "step_s": now - self._stepped_at})
        self._watch.numbers(step, losses)
        self._stepped_at = now

    def picture(self, state: TrainingState) -> None:
        """Render the watched pairs."""
        assert self._watch is not None
        fakes = [to_images(self._rendering.render(self._batch(pair, state)))[0] for pair in self._pairs]
        self._watch.grid(state.step, self._pairs, fakes)

    def save(self, state: TrainingState) -> None:
        """Measure, then keep everything that going on from here needs; then the best model, the curves, the report."""
        better = self._measure(state)
        kept = {"history": self.history.state_dict(), "best": list(self.best or ()), "judged_on": self._judged_on}
        self._checkpoints.save(
            state.step, {"identity": self._job.identity(), "state": state.state_dict(), "kept": kept}
        )
        if better:
            self._write_best(state)
        assert self._watch is not None
        self._watch.flush()
        self._directory.store.write_atomic(HISTORY, json.dumps(self.history.state_dict()).encode())
        self._directory.store.write_atomic(REPORT, self._report(state).encode())
        self._stepped_at = time.monotonic()  # saving is no part of a step

    def finish(self, state: TrainingState, losses: Mapping[str, float]) -> None:
        """Write the model: the last weights, or the best ones where the job says so."""
        step = self.best.step if self._job.keep == "best" and self.best is not None else state.step
        if self._directory.holds(step):
            return
        if step == state.step:
            facts = self._facts(state, losses or self._last_losses())
            self._directory.write(facts, self._rendering.generator(), state.system.encoder)
            return
        best = open_model(self._best_url)
        facts = self._facts(state, best.card.training.losses, step)
        self._directory.write(facts, best.load_generator(), best.load_encoder())

    def close(self) -> None:
        """Copy what is left of the curves."""
        if self._watch is not None:
            self._watch.close()

    @property
    def _judged_on(self) -> dict[str, Any]:
        """Which photographs distances are measured to."""
        source = self._job.validation
        return {"source": source and source.model_dump(mode="json"), "pairs": self._job.validation_pairs}

    @property
    def _best_url(self) -> str:
        return f"{self._directory.url}/{BEST}"

    def _measure(self, state: TrainingState) -> bool:
        """Whether the images have never been as near to the photographs."""
        measured_now = bool(self.history.measured) and self.history.measured[-1][0] == state.step
        if not self._judged or measured_now:
            return False
        batches = [self._batch(pair, state) for pair in self._judged]
        fakes = torch.cat([self._rendering.render(batch).cpu() for batch in batches])
        reals = torch.cat([batch.image_BCHW.cpu() for batch in batches])
        labels = torch.cat([batch.labels_BHW.cpu() for batch in batches])
        # Unpaired training knows no photograph of a label map: all classes are one.
        distance = patch_distance(fakes, reals, labels if self._paired else torch.zeros_like(labels))
        self.history.measured.append((state.step, distance))
        assert self._watch is not None
        self._watch.numbers(state.step, {"patch_distance": distance})
        if self.best is not None and distance >= self.best.distance:
            return False
        self.best = Best(state.step, distance)
        return True

    def _write_best(self, state: TrainingState) -> None:
        directory = ModelDirectory(self._best_url)
        if not directory.holds(state.step):
            directory.write(self._facts(state, self._last_losses()), self._rendering.generator(), state.system.encoder)

    def _last_losses(self) -> dict[str, float]:
        row = self.history.rows[-1] if self.history.rows else {}
        return {name: value for name, value in row.items() if "/" in name}

    def _held_out(self, stage: Stage) -> list[TrainingPair]:
        if not self._job.validation_pairs:
            return []
        source = self._source if self._job.validation is None else self._job.validation.open()
        reader = PairReader(source, stage.views, 0)
        order = Order(reader.alike(None), self._job.seed)
        return [reader.view(i, order.view_rng(i)) for i in spread(range(len(reader)), self._job.validation_pairs)]

    def _batches(self, reader: PairReader, order: Order, state: TrainingState) -> Iterable[Batch]:
        for position in range(self._job.reestimate):
            pair = reader.view(order.pair_at(position), order.view_rng(position))
            yield self._batch(pair, state)

    def _batch(self, pair: TrainingPair, state: TrainingState) -> Batch:
        return to_batch([pair], state.device)

    def _facts(self, state: TrainingState, losses: Mapping[str, float], step: int | None = None) -> ModelFacts:
        job = self._job
        measured = dict(self.history.measured)
        step = state.step if step is None else step
        summary = TrainingSummary(
            source=job.source.model_dump(mode="json"),
            source_fingerprint=self._source.fingerprint(),
            pairs=len(PairReader(self._source, job.views, 0)),
            steps=step,
            batch_size=job.batch_size * job.accumulate * self._world_size,
            seed=job.seed,
            precision=state.precision,
            losses=dict(losses),
            notes=state.notes,
            patch_distance=measured.get(step),
            teachers=job.teachers,
        )
        return ModelFacts(job.name, job.family, job.config, job.catalog, job.views.resolution, summary)

    def _report(self, state: TrainingState) -> str:
        return training_report(self._job, self._directory.store, self.history, state.step, state.notes, self.best)
