import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generators.pix2pixhd import Pix2PixHDSystem
from orchestration.training import Worker
from pipeline.errors import RunError, SourceError, StorageError
from pipeline.model_directory import open_model
from pipeline.storage import Store
from pipeline.training.history import History
from pipeline.training.job import Job
from pipeline.training.keeper import Best
from pipeline.training.loop import train
from pipeline.training.report import training_report
from pipeline.training.state import TrainingState


class Watcher(Worker):
    """A lone worker that keeps its reports and stops when told."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.reports: list[Mapping[str, Any]] = []
        self.steps, self._stop_at = 0, stop_at

    def report(self, report: Mapping[str, Any]) -> None:
        self.reports.append(report)

    def should_stop(self) -> bool:
        self.steps += 1
        return self.steps == self._stop_at

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [report for report in self.reports if report["event"] == name]


class PulledPlugError(Exception):
    """Power fails."""


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, dict[str, float]]]:
    """Every step taken with its losses, in order."""
    taken: list[tuple[int, dict[str, float]]] = []
    plain = TrainingState.train_step

    def watched(state: TrainingState, batches: Any) -> dict[str, float]:
        found = plain(state, batches)
        taken.append((state.step, found))
        return found

    monkeypatch.setattr(TrainingState, "train_step", watched)
    return taken


def run(job: Job, worker: Worker | None = None) -> Watcher:
    worker = worker or Watcher()
    train({"job": job}, worker)
    assert isinstance(worker, Watcher)
    return worker


def weights(job: Job) -> bytes:
    return (Path(job.output) / "generator.safetensors").read_bytes()


def test_a_killed_training_resumes_to_the_bit(
    job: Job, tmp_path: Path, losses: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(job, output=str(tmp_path / "whole"))
    run(whole)
    undisturbed = list(losses)
    losses.clear()
    watched = TrainingState.train_step

    def fails_at_five(state: TrainingState, batches: Any) -> dict[str, float]:
        if state.step == 5:
            raise PulledPlugError
        return watched(state, batches)

    with monkeypatch.context() as plug:
        plug.setattr(TrainingState, "train_step", fails_at_five)
        with pytest.raises(PulledPlugError):
            run(job)
    assert run(job).events("resumed") == [{"event": "resumed", "step": 4}]
    assert losses == undisturbed[:5] + undisturbed[4:]
    assert weights(job) == weights(whole)


def test_a_training_that_is_asked_to_stop_keeps_its_last_step(job: Job, tmp_path: Path, losses: list[Any]) -> None:
    whole = replace(job, output=str(tmp_path / "whole"))
    run(whole)
    run(job, Watcher(stop_at=3))
    assert not (Path(job.output) / "model.json").exists()
    assert run(job).events("resumed") == [{"event": "resumed", "step": 3}]
    assert weights(job) == weights(whole)


def test_a_finished_training_run_again_changes_nothing(job: Job, losses: list[Any]) -> None:
    run(job)
    before = (Path(job.output) / "model.json").read_bytes()
    losses.clear()
    run(job)
    assert losses == []
    assert (Path(job.output) / "model.json").read_bytes() == before


def test_more_steps_go_on_from_fewer(job: Job, losses: list[Any]) -> None:
    run(job)
    losses.clear()
    run(replace(job, steps=8))
    assert [step for step, _ in losses] == [7, 8]
    assert open_model(job.output).card.training.steps == 8


def test_another_training_in_the_same_place_is_refused_with_the_difference(job: Job) -> None:
    run(replace(job, steps=2))
    with pytest.raises(RunError) as error:
        run(replace(job, seed=1))
    assert str(error.value) == (
        f"{job.output}: holds a training with other settings; give another --output, or delete its training/ folder\n"
        "  seed: 0 there, 1 here"
    )


def break_loss(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[int], bool], value: float = float("nan")) -> None:
    """The generator's adversarial loss is no number on the calls that `breaks` names."""
    plain, calls = Pix2PixHDSystem.generator_turn, [0]

    def sometimes(system: Pix2PixHDSystem, batch: Any) -> Any:
        turn = plain(system, batch)
        calls[0] += 1
        if not breaks(calls[0]):
            return turn
        nan = torch.tensor(value)
        return turn._replace(total=turn.total * nan, terms=turn.terms | {"adversarial": nan})

    monkeypatch.setattr(Pix2PixHDSystem, "generator_turn", sometimes)


def test_a_loss_that_breaks_is_named_and_training_steps_back(
    job: Job, losses: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_loss(monkeypatch, lambda call: call == 4)
    events = run(job).events("stepped_back")
    assert events == [
        {"event": "stepped_back", "step": 2, "reason": "loss 'generator/adversarial' became nan at step 3"}
    ]
    assert [step for step, _ in losses] == [1, 2, 3, 3, 4, 5, 6]
    assert losses[2][1] != losses[3][1]  # other pairs than those it broke on


def test_an_infinite_loss_is_named_too(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    break_loss(monkeypatch, lambda call: call == 4, float("inf"))
    reasons = [event["reason"] for event in run(job).events("stepped_back")]
    assert reasons == ["loss 'generator/adversarial' became inf at step 3"]


def test_weights_that_break_are_named_and_never_saved(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, broken = TrainingState.train_step, [True]

    def breaks_at_four(state: TrainingState, batches: Any) -> dict[str, float]:
        found = plain(state, batches)
        if state.step == 4 and broken:
            broken.clear()
            with torch.no_grad():
                next(state.system.generator.head.parameters()).fill_(float("nan"))
        return found

    monkeypatch.setattr(TrainingState, "train_step", breaks_at_four)
    events = run(job).events("stepped_back")
    assert events == [
        {"event": "stepped_back", "step": 2, "reason": "weight 'generator.head.0.weight' became nan at step 4"}
    ]
    assert open_model(job.output).card.training.steps == 6


def test_a_loss_that_breaks_again_and_again_ends_the_training(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    break_loss(monkeypatch, lambda call: call >= 4)
    with pytest.raises(RunError) as error:
        run(job)
    assert str(error.value) == (
        "loss 'generator/adversarial' became nan at step 2, after stepping back 3 times; "
        "lower the learning rate, or train in float32"
    )


def test_a_broken_pair_ends_training_with_its_name(broken_job: Job) -> None:
    with pytest.raises(SourceError, match=r"^pair3\.png: not a PNG$"):
        run(broken_job)


def test_the_model_directory_holds_everything_there_is_to_see(job: Job) -> None:
    worker = run(job)
    found = {str(p.relative_to(job.output)) for p in Path(job.output).rglob("*") if p.is_file()}
    events = {name for name in found if name.startswith("training/tensorboard/events.out")}
    assert len(events) == 1
    assert found - events == {
        "model.json",
        "generator.safetensors",
        "encoder.safetensors",
        "report.html",
        "samples/step-000000003.png",
        "samples/step-000000006.png",
        "training/history.json",
        "training/step-000000004.pt",
        "training/step-000000006.pt",
    }
    last = worker.events("step")[-1]
    assert (last["step"], last["steps"]) == (6, 6)
    assert set(last["losses"]) == {
        "generator/adversarial",
        "generator/feature_matching",
        "discriminator/real",
        "discriminator/fake",
    }
    assert open_model(job.output).card.training.losses == last["losses"]


def test_accumulated_batches_make_one_update(job: Job, losses: list[Any]) -> None:
    run(replace(job, steps=2, accumulate=3))
    assert [step for step, _ in losses] == [1, 2]


@pytest.mark.parametrize("precision", ["bfloat16", "auto"])
def test_other_precisions_train_to_finite_losses(job: Job, losses: list[Any], precision: str) -> None:
    run(replace(job, steps=2, precision=precision))
    assert all(abs(value) < 1e3 for _, found in losses for value in found.values())


def test_weights_that_were_damaged_are_written_again_from_the_last_checkpoint(job: Job) -> None:
    run(job)
    good = open_model(job.output).card
    path = Path(job.output) / "generator.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    run(job)
    assert path.read_bytes() == whole
    assert open_model(job.output).card.weights == good.weights


def test_a_write_cut_short_by_a_full_disk_is_made_good_by_the_next_run(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(job)
    plain = Store.write_atomic

    def full(store: Store, path: str, data: bytes) -> None:
        if path == "model.json":
            raise StorageError("no space left on the device")
        plain(store, path, data)

    longer = replace(job, steps=job.steps + 1)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_atomic", full)
        with pytest.raises(StorageError):
            run(longer)
    run(longer)
    model = open_model(job.output)
    assert model.card.training.steps == longer.steps
    model.load_generator()


def test_a_longer_training_with_a_coarse_part_goes_on_from_a_shorter_one(job: Job) -> None:
    run(replace(job, coarse_factor=2, coarse_steps=1))
    longer = run(replace(job, steps=job.steps + 2, coarse_factor=2, coarse_steps=2))
    assert longer.events("resumed") == [{"event": "resumed", "step": job.steps}]


def test_old_fakes_of_the_coarse_part_are_forgotten_when_pictures_grow(job: Job, losses: list[Any]) -> None:
    pooled = replace(job, config=job.config.model_copy(update={"pool_size": 3}), checkpoint_every=1)
    run(replace(pooled, coarse_factor=2, coarse_steps=3))
    assert [step for step, _ in losses] == [1, 2, 3, 4, 5, 6]


def test_a_fresh_checkpoint_outlives_a_damaged_later_one(job: Job) -> None:
    run(replace(job, steps=4))
    newest = Path(job.output) / "training" / "step-000000004.pt"
    newest.write_bytes(newest.read_bytes()[:500])
    stopped = run(replace(job, checkpoints_kept=1), Watcher(stop_at=1))
    assert stopped.events("resumed") == [{"event": "resumed", "step": 2}]
    assert sorted(path.name for path in newest.parent.glob("step-*.pt")) == ["step-000000003.pt"]
    assert run(job).events("resumed") == [{"event": "resumed", "step": 3}]


def test_the_report_shows_losses_pictures_speed_and_settings(job: Job) -> None:
    run(replace(job, validation_pairs=2, settings={"name": "toy", "model": {"family": "pix2pixhd"}}))
    page = (Path(job.output) / "report.html").read_text()
    for shown in (
        "feature matching",
        "samples of step 3",
        "samples of step 6",
        "images a second",
        "waiting for data",
        "Distance to photographs",
        "model family",
        "no VGG-19 weights",
    ):
        assert shown in page, shown
    assert "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ([], ""),
        (
            [(10, 0.5), (20, 0.25)],
            "At step 20 the renderings are nearer to photographs than at any step before: patch distance 0.250 (less "
            "is nearer). More steps may bring them nearer still.",
        ),
        (
            [(10, 0.25), (20, 0.5)],
            "The renderings were nearest to photographs at step 10: patch distance 0.250, and 0.500 at step 20 (less "
            "is nearer).",
        ),
    ],
)
def test_the_headline_of_the_report_says_how_near_photographs_the_renderings_are(
    job: Job, tmp_path: Path, measured: list[tuple[int, float]], said: str
) -> None:
    best = Best(*min(measured, key=lambda each: each[1])) if measured else None
    history = History()
    history.measured = measured
    page = training_report(job, Store(str(tmp_path)), history, 20, [], best)
    assert re.findall(r'<p class="answer">(.*?)</p>', page) == ([said] if said else [])


def test_old_pictures_are_drawn_again_after_resuming(job: Job) -> None:
    run(job, Watcher(stop_at=4))
    run(job)
    page = (Path(job.output) / "report.html").read_text()
    assert "samples of step 3" in page
    assert page.count("step 1<") >= 2, "curves begin where training began, not where it resumed"
