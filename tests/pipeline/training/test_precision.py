"""Half precision, compiled blocks, memory layouts, recomputation: options that must not change what is learnt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from generators.blocks import InstanceNorm, tanh_head
from generators.family import Turn
from generators.pix2pixhd import Pix2PixHDSystem
from generators.spade.modulation import Modulation
from orchestration.training import Worker
from pipeline.errors import RunError
from pipeline.model_directory import open_model
from pipeline.training import compilation
from pipeline.training.job import Job
from pipeline.training.loop import train
from pipeline.training.state import TrainingState
from pipeline.training.workers import Group

Losses = list[dict[str, float]]


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> Callable[[Job], Losses]:
    """Trains, and gives the losses of every step."""
    plain = TrainingState.train_step

    def of(job: Job) -> Losses:
        found: Losses = []

        def watched(state: TrainingState, batches: Any) -> dict[str, float]:
            found.append(plain(state, batches))
            return found[-1]

        monkeypatch.setattr(TrainingState, "train_step", watched)
        train({"job": job}, Worker())
        return found

    return of


def assert_near(found: Losses, wanted: Losses, tolerance: float) -> None:
    assert len(found) == len(wanted)
    for own, other in zip(found, wanted, strict=True):
        for name, value in own.items():
            assert value == pytest.approx(other[name], rel=tolerance, abs=tolerance), name


def test_recomputed_activations_change_no_loss(job: Job, tmp_path: Any, losses: Callable[[Job], Losses]) -> None:
    assert losses(replace(job, recompute=True)) == losses(replace(job, output=str(tmp_path / "plain")))


def test_layouts_differ_by_rounding_alone(job: Job, tmp_path: Any, losses: Callable[[Job], Losses]) -> None:
    plain = losses(replace(job, steps=3, channels_last=False))
    assert_near(losses(replace(job, steps=3, output=str(tmp_path / "other"))), plain, 1e-3)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_follows_full_precision(
    job: Job, tmp_path: Any, losses: Callable[[Job], Losses], precision: str
) -> None:
    full = losses(replace(job, steps=12))
    half = losses(replace(job, steps=12, precision=precision, output=str(tmp_path / "half")))
    assert_near(half[:1], full[:1], 0.02)
    assert all(np.isfinite(value) for found in half for value in found.values())
    mean = {name: sum(found[name] for found in half[-4:]) / 4 for name in half[0]}
    assert_near([mean], [{name: sum(found[name] for found in full[-4:]) / 4 for name in full[0]}], 0.15)


def test_float16_resumes_with_its_scales(job: Job, tmp_path: Any, losses: Callable[[Job], Losses]) -> None:
    half = replace(job, precision="float16", decay_share=0.0)
    whole = losses(replace(half, output=str(tmp_path / "whole")))
    first = losses(replace(half, steps=4))
    assert first + losses(half) == whole


def test_a_step_whose_gradients_overflow_is_left_out_and_scaled_less(job: Job) -> None:
    state = TrainingState(replace(job, precision="float16"), torch.device("cpu"), Group())
    player = state._players[0]
    before = [p.detach().clone() for p in state.system.generator.parameters()]
    scale = player.scaler.get_scale()
    for parameter in state.system.generator.parameters():
        parameter.grad = torch.full_like(parameter, float("inf"))
    player.scaler.scale(torch.ones(()))
    state._update(player)
    assert all(torch.equal(a, b) for a, b in zip(before, state.system.generator.parameters(), strict=True))
    assert player.scaler.get_scale() == scale / 2


def test_gradients_that_never_fit_are_named(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Pix2PixHDSystem.generator_turn

    def huge(system: Pix2PixHDSystem, batch: Any) -> Turn:
        turn = plain(system, batch)
        return turn._replace(total=(turn.total * 1e30).clamp(max=3e38))

    monkeypatch.setattr(Pix2PixHDSystem, "generator_turn", huge)
    with pytest.raises(
        RunError, match=r"^gradients of the generator became inf at step \d+, after stepping back 3 times"
    ):
        train({"job": replace(job, precision="float16", steps=40, checkpoint_every=40, samples_every=40)}, Worker())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_norm_statistics_of_large_maps_are_right_in_half_precision(dtype: torch.dtype) -> None:
    # A sum of a million values of 100 is far beyond float16, and beyond the digits of bfloat16.
    x = (100 + 10 * torch.randn(1, 2, 1024, 1024)).to(dtype)
    for norm in (InstanceNorm(2), torch.nn.BatchNorm2d(2, affine=False)):
        with torch.autocast("cpu", dtype):
            normalised = norm(x).double()
        assert normalised.mean().abs() < 0.01
        assert normalised.std() == pytest.approx(1.0, abs=0.02)


def test_modulation_does_not_leave_the_range_of_float16() -> None:
    large = torch.full((1, 1, 2, 2), 300.0, dtype=torch.float16)
    assert Modulation(large, large).apply(large).isfinite().all()


def test_the_last_activation_is_computed_in_float32() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert tanh_head(4)(torch.randn(1, 4, 8, 8)).dtype == torch.float32


@pytest.mark.soak
def test_compiled_blocks_train_to_the_same_losses(job: Job, tmp_path: Any, losses: Callable[[Job], Losses]) -> None:
    plain = losses(replace(job, steps=2))
    compiled = losses(replace(job, steps=2, compile=True, recompute=True, output=str(tmp_path / "compiled")))
    assert_near(compiled, plain, 1e-3)
    assert not [n for n in open_model(str(tmp_path / "compiled")).card.training.notes if n.startswith("compile")]


def test_without_a_compiler_training_goes_on_and_says_so(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "compiler_problem", lambda device: "No working C++ compiler found")
    train({"job": replace(job, compile=True)}, Worker())
    assert (
        "compile: left out, as nothing can be compiled here (No working C++ compiler found)"
        in open_model(job.output).card.training.notes
    )


def test_what_stands_in_the_way_of_compiling_is_told_in_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(function: Any) -> Any:
        raise RuntimeError("\n  no compiler  \nand a long explanation")

    monkeypatch.setattr(torch, "compile", broken)
    assert compilation.compiler_problem(torch.device("cpu")) == "no compiler"
