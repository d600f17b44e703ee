"""The best model so far: measured at every checkpoint, kept beside the training, usable as any other."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from orchestration.training import Worker
from pipeline.model_directory import open_model
from pipeline.training import keeper
from pipeline.training.job import Job
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
    # Its weights are those that a training which ended there would have given, but for the falling rates.
    shorter = replace(measured, output=str(tmp_path / "shorter"), validation_pairs=0, decay_share=0.0)
    constant = replace(measured, output=str(tmp_path / "constant"), validation_pairs=0, decay_share=0.0, steps=4)
    train({"job": shorter}, Worker())
    train({"job": constant}, Worker())
    assert weights(shorter.output) != weights(constant.output)
    best.load_generator()


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
