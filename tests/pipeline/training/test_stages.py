"""Coarse to fine: a global generator at half size, an enhancer on it with the rest frozen, then everything."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generators import family_named
from orchestration.training import Worker
from pipeline.errors import ConfigError, InputError
from pipeline.model_directory import open_model
from pipeline.resolution import Resolution
from pipeline.train_config import load_train_config
from pipeline.training.batches import to_batch
from pipeline.training.data import PairReader, Views
from pipeline.training.job import Job, Stage
from pipeline.training.loop import train
from pipeline.training.run import make_plan
from pipeline.training.state import TrainingState
from pipeline.training.workers import Group


class PulledPlugError(Exception):
    """Power fails."""


@pytest.fixture
def growing(job: Job) -> Job:
    """Two steps at 16x8, two of a frozen and three of a whole enhancer at 32x16."""
    fine = job.config.model_copy(update={"num_enhancers": 1, "num_enhancer_blocks": 1, "discriminator_scales": 2})
    first = Stage(job.config, Views(Resolution(16, 8)), 2)
    frozen = Stage(fine, job.views, 2, 0.0, freeze_coarse=True)
    return replace(job, config=fine, before=(first, frozen), steps=7, checkpoint_every=1, samples_every=100)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Of every step: its number, the size of its images, its losses, and the trunk's weights afterwards."""
    steps: list[tuple[Any, ...]] = []
    plain = TrainingState.train_step

    def watched(state: TrainingState, batches: Any) -> dict[str, float]:
        losses = plain(state, batches)
        trunk = torch.cat([w.detach().flatten() for w in state.system.generator.trunk.parameters()])
        steps.append((state.step, tuple(batches[0].image_BCHW.shape[2:]), losses, trunk))
        return losses

    monkeypatch.setattr(TrainingState, "train_step", watched)
    return steps


def test_each_stage_has_its_size_and_goes_on_from_the_one_before(growing: Job, seen: list[Any]) -> None:
    train({"job": growing}, Worker())
    assert [step for step, *_ in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert [size for _, size, *_ in seen] == [(8, 16)] * 2 + [(16, 32)] * 5
    trunks = [trunk for *_, trunk in seen]
    assert not torch.equal(trunks[0], trunks[1])
    assert torch.equal(trunks[1], trunks[2]), "the enhancer starts on the trained trunk"
    assert torch.equal(trunks[2], trunks[3]), "and leaves it alone while it is frozen"
    assert not torch.equal(trunks[3], trunks[4])
    card = open_model(growing.output).card
    assert (card.hyperparameters["num_enhancers"], card.resolution, card.training.steps) == (1, Resolution(32, 16), 7)


def test_a_stage_of_other_losses_and_rates_goes_on_with_the_same_networks(job: Job, seen: list[Any]) -> None:
    still = job.config.model_copy(update={"reconstruction_weight": 3.0, "generator_rate": 1e-12})
    first = Stage(job.config, job.views, 2)
    train({"job": replace(job, config=still, before=(first,), steps=4)}, Worker())
    trunks = [trunk for *_, trunk in seen]
    assert not torch.equal(trunks[0], trunks[1])
    torch.testing.assert_close(trunks[2], trunks[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("killed_in", [1, 2, 3, 4, 6])
def test_a_training_killed_in_any_stage_resumes_to_the_bit(
    growing: Job, tmp_path: Path, seen: list[Any], monkeypatch: pytest.MonkeyPatch, killed_in: int
) -> None:
    whole = replace(growing, output=str(tmp_path / "whole"))
    train({"job": whole}, Worker())
    undisturbed = {step: losses for step, _, losses, _ in seen}
    seen.clear()
    watched = TrainingState.train_step

    def fails(state: TrainingState, batches: Any) -> dict[str, float]:
        if state.step == killed_in:
            raise PulledPlugError
        return watched(state, batches)

    with monkeypatch.context() as plug:
        plug.setattr(TrainingState, "train_step", fails)
        with pytest.raises(PulledPlugError):
            train({"job": growing}, Worker())
    train({"job": growing}, Worker())
    assert {step: losses for step, _, losses, _ in seen} == undisturbed
    weights = [(Path(job.output) / "generator.safetensors").read_bytes() for job in (growing, whole)]
    assert weights[0] == weights[1]


def test_refinement_networks_grow_too(job: Job, seen: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    config = family_named("crn").config(base_channels=32, modules=3, discriminator_channels=4)
    first = Stage(config, Views(Resolution(16, 8)), 2)
    finer = config.model_copy(update={"modules": 4})
    train({"job": replace(job, family="crn", config=finer, before=(first,), steps=4)}, Worker())
    assert open_model(job.output).card.hyperparameters["modules"] == 4


def test_the_papers_schedule_is_one_config() -> None:
    plan = make_plan(
        load_train_config(
            "cityscapes_pix2pixhd_2048x1024", ["source={format: streetscapes, scenes: 10}", "data.cache_mb=1"]
        ).value,
        None,
    )
    stages = [
        (s.config.num_enhancers, s.config.discriminator_scales, str(s.views.resolution), s.steps, s.freeze_coarse)
        for s in plan.job.stages
    ]
    assert stages == [
        (0, 2, "1024x512", 2000, False),
        (1, 3, "2048x1024", 100, True),
        (1, 3, "2048x1024", 900, False),
    ]
    # 50 epochs at a constant rate (10 of them with G1 frozen), then 50 down to zero.
    assert round(plan.job.decay_share * 900) == 500


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            ["stages=[{steps: 3, model: {num_enhancers: 2}}]", "model.num_enhancers=1"],
            "model: cannot go on from stages[0]: a generator of 2 enhancers is not coarser than one of 1",
        ),
        (
            ["stages=[{steps: 3}, {steps: 3, model: {num_enhancers: 2}}]", "model.num_enhancers=3"],
            "stages[1]: cannot go on from stages[0]: a generator of 3 enhancers is not coarser than one of 2",
        ),
        (
            ["stages=[{steps: 3, model: {num_enhancers: 0, base_channels: 8}}]", "model.num_enhancers=1"],
            "model: cannot go on from stages[0]: size mismatch for ",
        ),
        (
            ["stages=[{steps: 3, model: {num_enhancers: 0}, freeze_coarse: true}]", "model.num_enhancers=1"],
            "stages[0]: freeze_coarse: a global generator has no coarser part to freeze; set num_enhancers",
        ),
    ],
)
def test_stages_that_do_not_grow_are_refused_before_training(overrides: list[str], problem: str) -> None:
    config = load_train_config("streetscapes", ["coarse=null", *overrides]).value
    with pytest.raises(InputError) as error:
        make_plan(config, None)
    assert str(error.value).startswith(problem)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            ["model={family: spade}", "coarse=null", "stages=[{steps: 3}]"],
            "stages: spade is not trained coarse to fine; families that are: pix2pixhd, crn",
        ),
        (
            ["coarse=null", "stages=[{steps: 3, model: {num_enhancer: 0}}]"],
            "stages[0].model: unknown key 'num_enhancer'; did you mean 'num_enhancers'?",
        ),
        (["stages=[{steps: 3}]"], "expected either coarse or stages"),
        (["coarse=null", "stages=[{}]"], "expected either steps or epochs"),
    ],
)
def test_mistakes_in_stages_are_told(overrides: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_train_config("streetscapes", overrides)
    assert problem in error.value.problems[0]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["resolution=72x64", "coarse=null"], "resolution: 72x64: sides must be multiples of 16 for pix2pixhd"),
        (
            ["resolution=112x64", "model.num_downsamplings=4"],
            "resolution: 112x64: sides must be multiples of 32 for pix2pixhd, at first at 1/2 of the size; "
            "the nearest is 128x64",
        ),
    ],
)
def test_a_size_that_the_networks_cannot_halve_is_refused_before_training(overrides: list[str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        make_plan(load_train_config("streetscapes", ["model.num_downsamplings=4", *overrides]).value, "nowhere")
    assert str(refused.value).startswith(said)


def test_oasis_trains_at_multiples_of_its_generators_stride_alone() -> None:
    """Its discriminator halves once more, and takes what is left over."""
    job = make_plan(load_train_config("streetscapes_oasis", ["resolution=96x32"]).value, "nowhere").job
    state = TrainingState(job, torch.device("cpu"), Group(0, 1))
    reader = PairReader(job.source.open(), job.views, job.cache_bytes, paired=True)
    losses = state.train_step([to_batch([reader.pair(0)] * job.batch_size, torch.device("cpu"))])
    assert all(math.isfinite(loss) for loss in losses.values())
