"""The best model so far: measured at every checkpoint, kept beside the training, usable as any other."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from orchestration.training import Worker
from pipeline.model_directory import open_model
from pipeline.resolution import Resolution
from pipeline.training import keeper
from pipeline.training.data import Views
from pipeline.training.job import Job, Stage
from pipeline.training.loop import train
from pipeline.training.patch_distance import patch_distance


@pytest.fixture
def measured(job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Distances fall to the checkpoint of step 4 and rise to that of step 6."""
    distances = iter([0.5, 0.2, 0.4])
    monkeypatch.setattr(keeper, "patch_distance", lambda *_: next(distances))
    return replace(job, validation_pairs=3)


def weights(url: str) -> bytes:
    return (Path(url) / "generator.safetensors").read_bytes()


def test_the_best_model_is_a_model_directory_beside_the_last(measured: Job, tmp_path: Path) -> None:
    train({"job": measured}, Worker())
    best, last = open_model(f"{measured.output}/training/best"), open_model(measured.output)
    assert (best.card.training.steps, best.card.training.patch_distance) == (4, 0.2)
    assert (last.card.training.steps, last.card.training.patch_distance) == (6, 0.4)
    best.load_generator()


def test_the_best_weights_are_those_of_a_training_that_ended_there(measured: Job, tmp_path: Path) -> None:
    constant = replace(measured, decay_share=0.0)  # falling rates would depend on where a training ends
    train({"job": constant}, Worker())
    shorter = replace(constant, output=str(tmp_path / "shorter"), validation_pairs=0, steps=4)
    train({"job": shorter}, Worker())
    assert weights(f"{constant.output}/training/best") == weights(shorter.output)
    assert weights(constant.output) != weights(shorter.output)


def test_other_photographs_begin_another_search_for_the_best(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    distances = iter([0.1, 0.5])
    monkeypatch.setattr(keeper, "patch_distance", lambda *_: next(distances))
    train({"job": replace(job, steps=2, validation_pairs=3)}, Worker())
    train({"job": replace(job, steps=4, validation_pairs=4)}, Worker())
    training = open_model(f"{job.output}/training/best").card.training
    assert (training.steps, training.patch_distance) == (4, 0.5)


def test_the_model_can_be_made_of_the_best_weights(measured: Job) -> None:
    train({"job": replace(measured, keep="best")}, Worker())
    assert open_model(measured.output).card.training.steps == 4
    assert weights(measured.output) == weights(f"{measured.output}/training/best")
    before = (Path(measured.output) / "model.json").read_bytes()
    train({"job": replace(measured, keep="best")}, Worker())
    assert (Path(measured.output) / "model.json").read_bytes() == before


def test_a_best_model_that_a_kill_kept_from_being_written_is_written_on_resuming(
    measured: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PulledPlugError(Exception):
        pass

    def killed(*_: object) -> None:
        raise PulledPlugError

    with monkeypatch.context() as plug:
        plug.setattr(keeper.Keeper, "_write_best", killed)
        with pytest.raises(PulledPlugError):
            train({"job": measured}, Worker())
    # The checkpoint of step 2 says that it is the best; its model is missing until the run goes on.
    assert not (Path(measured.output) / "training/best").exists()
    train({"job": replace(measured, steps=2)}, Worker())
    assert open_model(f"{measured.output}/training/best").card.training.steps == 2


def test_a_kill_at_the_end_of_a_stage_leaves_its_averaged_weights_to_the_best_model(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PulledPlugError(Exception):
        pass

    def killed(*_: object) -> None:
        raise PulledPlugError

    monkeypatch.setattr(keeper, "patch_distance", lambda *_: 0.5)  # nothing later is better than step 2
    staged = replace(job, before=(Stage(job.config, job.views, 2),), steps=4, validation_pairs=3)
    with monkeypatch.context() as plug:
        plug.setattr(keeper.Keeper, "_write_best", killed)
        with pytest.raises(PulledPlugError):
            train({"job": staged}, Worker())
    train({"job": staged}, Worker())
    whole = replace(staged, output=str(tmp_path / "whole"))
    train({"job": whole}, Worker())
    assert open_model(f"{staged.output}/training/best").card.training.steps == 2
    assert weights(f"{staged.output}/training/best") == weights(f"{whole.output}/training/best")


def test_a_stage_at_another_resolution_does_not_compete(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "patch_distance", lambda fakes, *_: float(fakes.shape[-1]))  # small ones are "better"
    small = Stage(job.config, Views(Resolution(16, 8)), 2)
    train({"job": replace(job, before=(small,), steps=4, validation_pairs=3)}, Worker())
    assert open_model(f"{job.output}/training/best").card.training.steps == 4


def some_pictures() -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    labels = torch.zeros(2, 32, 64, dtype=torch.int64)
    labels[:, 16:] = 1
    flat = torch.where(labels[:, None] == 1, 0.5, -0.5).expand(-1, 3, -1, -1)
    return flat + 0.2 * torch.randn(flat.shape, generator=rng), labels


def test_photographs_are_at_no_distance_from_themselves() -> None:
    images, labels = some_pictures()
    assert patch_distance(images, images, labels) == 0.0


def test_distance_grows_with_what_is_wrong() -> None:
    images, labels = some_pictures()
    brighter = [patch_distance(images + shift, images, labels) for shift in (0.05, 0.2, 0.8)]
    assert brighter == sorted(brighter)
    assert brighter[0] > 0
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    assert patch_distance(blurred, images, labels) > 0.05, "colours alone are not enough: texture counts"


def test_another_image_of_the_same_texture_is_nearer_than_a_blurred_copy() -> None:
    images, labels = some_pictures()
    other = images.flip(3)
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    assert patch_distance(other, images, labels) < patch_distance(blurred, images, labels) / 2


def test_colours_count_where_their_class_stands() -> None:
    images, labels = some_pictures()
    swapped = images.flip(2)
    assert patch_distance(swapped, images, labels) > 2 * patch_distance(swapped, images, torch.zeros_like(labels))


def test_the_same_pictures_have_the_same_distance() -> None:
    images, labels = some_pictures()
    torch.rand(5)
    assert patch_distance(images * 0.9, images, labels) == patch_distance(images * 0.9, images, labels)
