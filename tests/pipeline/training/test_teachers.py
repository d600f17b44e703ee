"""A generator knows who taught it: teachers are told by content, not by path, and never judge their pupils."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from generators.checkpoint import save_weights
from generators.segmenter import Segmenter
from orchestration.training import Worker
from pipeline.catalogs import load_catalog
from pipeline.cli import main
from pipeline.console import Console, ProgressMode
from pipeline.errors import InputError, RunError
from pipeline.evaluation.judge import JudgeSettings, impartial
from pipeline.judge_card import JudgeCard, read_judge_card
from pipeline.model_directory import open_model
from pipeline.training.job import Job, Stage
from pipeline.training.loop import train
from pipeline.training.pretrained import digests_of, teachers_of

Write = Callable[..., Path]


@pytest.fixture
def write_teacher(tmp_path: Path) -> Write:
    """Weights of a segmenter of roads and skies, as a judge leaves them."""

    def write(name: str, seed: int = 7, classes: tuple[str, ...] | None = ("road", "sky")) -> Path:
        torch.manual_seed(seed)
        card = None if classes is None else JudgeCard(judge=f"of seed {seed}", seed=seed, classes=classes).as_metadata()
        save_weights(Segmenter(2, width=8), tmp_path / name, card)
        return tmp_path / name

    return write


def taught(job: Job, weights: Path) -> Job:
    job = replace(job, config=job.config.model_copy(update={"segmenter_weights": str(weights)}))
    return replace(job, digests=digests_of(job), teachers=teachers_of(job))


def run(job: Job) -> None:
    train({"job": job}, Worker())


def test_a_file_says_whose_weights_it_holds(write_teacher: Write) -> None:
    card = read_judge_card(write_teacher("t.safetensors"))
    assert card == JudgeCard(judge="of seed 7", seed=7, classes=("road", "sky"))
    assert read_judge_card(write_teacher("of_others.safetensors", classes=None)) is None


@pytest.mark.parametrize("said", ["{", "[" * 200_000, '{"judge": "a", "seed": -1, "classes": []}', '{"judge": "a"}'])
def test_a_damaged_word_is_an_error_and_no_traceback(said: str, tmp_path: Path) -> None:
    save_weights(Segmenter(2, width=8), tmp_path / "t.safetensors", {"synthgen.judge": said})
    with pytest.raises(InputError, match=r"t\.safetensors: what it says of itself under 'synthgen.judge' is damaged$"):
        read_judge_card(tmp_path / "t.safetensors")


def test_a_teacher_that_does_not_say_which_judge_it_is_is_refused(job: Job, write_teacher: Write) -> None:
    with pytest.raises(
        InputError, match=r"t\.safetensors: does not say which judge it is; the same synthgen evaluate judge"
    ):
        taught(job, write_teacher("t.safetensors", classes=None))


@pytest.mark.parametrize("classes", [("road",), ("road", "sky", "car")])
def test_a_teacher_of_fewer_or_more_classes_is_refused(
    job: Job, write_teacher: Write, classes: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match=r"this segmenter's class . is '\w+', that of the source is '\w+'; teach one"):
        taught(job, write_teacher("t.safetensors", classes=classes))


def test_teachers_of_all_stages_are_known(job: Job, write_teacher: Write) -> None:
    first, last = write_teacher("a.safetensors", seed=1), write_teacher("b.safetensors", seed=2)
    early = job.config.model_copy(update={"segmenter_weights": str(first)})
    whole = taught(replace(job, before=(Stage(early, job.views, 2),)), last)
    assert whole.teachers == {"of seed 1": 1, "of seed 2": 2}
    assert set(whole.digests) == {str(first), str(last)}


def test_a_teacher_of_as_many_other_classes_is_refused(job: Job, write_teacher: Write) -> None:
    with pytest.raises(InputError) as refused:
        taught(job, write_teacher("t.safetensors", classes=("road", "tree")))
    assert str(refused.value).endswith(
        "t.safetensors: this segmenter's class 1 is 'tree', that of the source is 'sky'; teach one on the source "
        "itself: synthgen evaluate judge"
    )


def test_the_model_says_who_taught_it(job: Job, write_teacher: Write) -> None:
    run(taught(replace(job, steps=1), write_teacher("t.safetensors")))
    assert open_model(job.output).card.training.teachers == {"of seed 7": 7}


def test_a_teacher_that_moved_is_the_same_and_another_in_its_place_is_not(
    job: Job, write_teacher: Write, tmp_path: Path
) -> None:
    weights = write_teacher("t.safetensors")
    run(taught(replace(job, steps=2), weights))
    moved = shutil.copy(weights, tmp_path / "moved.safetensors")
    run(taught(replace(job, steps=3), moved))
    assert open_model(job.output).card.training.steps == 3
    write_teacher("t.safetensors", seed=8)
    with pytest.raises(RunError, match=r"other settings.*\n  model\.segmenter_weights: sha256 \w+ there, sha256 \w+ h"):
        run(taught(replace(job, steps=4), weights))


def test_checkpoints_that_told_files_of_weights_by_their_paths_go_on(job: Job, write_teacher: Write) -> None:
    weights = write_teacher("t.safetensors")
    run(replace(taught(replace(job, steps=2), weights), digests={}))
    run(taught(replace(job, steps=3), weights))
    assert open_model(job.output).card.training.steps == 3


def test_checkpoints_from_before_an_option_was_there_go_on(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Job.identity

    def of_old(job: Job) -> dict[str, object]:
        said = whole(job)
        lacking = ("segmenter_weights", "segmenter_weight", "label_weight")
        return said | {"hyperparameters": {k: v for k, v in said["hyperparameters"].items() if k not in lacking}}

    with monkeypatch.context() as before:
        before.setattr(Job, "identity", of_old)
        run(replace(job, steps=2))
    run(replace(job, steps=3))
    assert open_model(job.output).card.training.steps == 3
    other = replace(job, steps=4, config=job.config.model_copy(update={"base_channels": 8}))
    with pytest.raises(RunError, match=r"\n  model\.base_channels: 4 there, 8 here$"):
        run(other)


@pytest.mark.parametrize(
    ("asked", "seeds", "given"),
    [(0, {}, 0), (0, {"a": 7}, 0), (7, {"a": 7}, 8), (0, {"a": 0, "b": 1}, 2), (1, {"a": 0, "b": 2}, 1)],
)
def test_a_judge_is_never_of_a_teachers_seed(asked: int, seeds: dict[str, int], given: int) -> None:
    assert impartial(JudgeSettings(steps=5, seed=asked), seeds) == JudgeSettings(steps=5, seed=given)


@pytest.mark.parametrize("segmenter", ["segformer", "segformer-b2", "./published"])
def test_judges_of_a_kind_that_teaches_nobody_stay(segmenter: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = JudgeSettings(segmenter)
    assert impartial(asked, {"a": 0}, Console(mode=ProgressMode.OFF)) == asked
    assert capsys.readouterr().err == ""


def test_the_command_refuses_a_teacher_of_other_classes_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = list(load_catalog("cityscapes").names)
    names[3:5] = names[4:2:-1]
    weights = tmp_path / "t.safetensors"
    save_weights(Segmenter(len(names), 8), weights, JudgeCard(judge="a", seed=1, classes=tuple(names)).as_metadata())
    with pytest.raises(SystemExit) as left:
        main(
            [
                *("train", "--set=source.scenes=4", f"--set=model.segmenter_weights={weights}", "--dry-run"),
                *("--output", str(tmp_path / "m")),
            ]
        )
    assert left.value.code == 2
    assert f"error: model.segmenter_weights: {weights}: this segmenter's class 3 is " in capsys.readouterr().err
