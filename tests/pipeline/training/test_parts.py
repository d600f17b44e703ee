"""Rates, averages, checkpoints."""

from pathlib import Path

import pytest
import torch
from torch import nn

from generators.family import Batch, Turn
from pipeline.errors import StorageError
from pipeline.storage import Store
from pipeline.training.average import MovingAverage
from pipeline.training.batches import coarsened
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.schedule import LinearDecay
from pipeline.training.state import _mean_terms


def test_a_hundred_and_a_hundred_epochs_decay_as_the_paper_does() -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=2e-4)
    decay = LinearDecay(optimizer, steps=200, decay_share=0.5)
    rates = []
    for epoch in range(200):
        decay.apply(epoch)
        rates.append(optimizer.param_groups[0]["lr"])
    # Epochs counted from 1: constant to the 101st, 1.98e-4 in the 102nd, 1e-4 in the 151st, 2e-6 in the last.
    assert rates[0] == rates[99] == rates[100] == pytest.approx(2e-4)
    assert rates[101] == pytest.approx(1.98e-4)
    assert rates[150] == pytest.approx(1e-4)
    assert rates[199] == pytest.approx(2e-6)


def test_without_decay_the_rate_stays() -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=0.1)
    assert LinearDecay(optimizer, 10, 0.0).factor(9) == 1.0


def test_the_average_follows_slowly_and_early_steps_fast() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 0.0)
    average = MovingAverage(module, 0.9)
    nn.init.constant_(module.weight, 1.0)
    average.update(0)
    assert float(average.state_dict()["weight"]) == pytest.approx(1 - 1 / 10)
    average.update(1000)
    assert float(average.state_dict()["weight"]) == pytest.approx(0.9 + 0.1 * 0.1)


def test_the_last_checkpoints_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(Store(str(tmp_path)), keep=2)
    for step in (5, 10, 100):
        checkpoints.save(step, {"step": step})
    assert checkpoints.steps() == [10, 100]
    assert checkpoints.latest() == {"step": 100}


def test_a_truncated_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    checkpoints = Checkpoints(Store(str(tmp_path)), keep=2)
    for step in (1, 2):
        checkpoints.save(step, {"step": step, "weights": torch.zeros(1000)})
    newest = tmp_path / "training" / "step-000000002.pt"
    newest.write_bytes(newest.read_bytes()[:500])
    assert checkpoints.latest()["step"] == 1


def test_code_in_a_checkpoint_never_runs(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return (Path(tmp_path / "ran").touch, ())

    checkpoints = Checkpoints(Store(str(tmp_path)), keep=2)
    checkpoints.save(1, {"step": Evil()})
    with pytest.raises(StorageError, match=r"^no checkpoint can be read; delete them to start anew:"):
        checkpoints.latest()
    assert not (tmp_path / "ran").exists()


def test_a_coarse_batch_keeps_nearest_labels_and_mean_colours() -> None:
    labels = torch.arange(32).view(1, 4, 8)
    image = torch.arange(96.0).view(1, 3, 4, 8)
    small = coarsened(Batch(labels, labels.int(), image), 2)
    assert small.labels_BHW.tolist() == [[[0, 2, 4, 6], [16, 18, 20, 22]]]
    assert small.instances_BHW.dtype == torch.int32
    assert small.image_BCHW[0, 0].tolist() == [[4.5, 6.5, 8.5, 10.5], [20.5, 22.5, 24.5, 26.5]]


class OnAnotherDevice:
    """A number that has to be fetched before it can be put beside others."""

    def __init__(self, number: float) -> None:
        self._number = number

    def to(self, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        return torch.tensor(self._number, device=device, dtype=dtype)


def test_losses_of_several_devices_and_precisions_are_read_together() -> None:
    image, total = torch.zeros(1), torch.zeros(())
    turns = [
        Turn(total, {"a": torch.tensor(1.0, dtype=torch.bfloat16), "b": torch.tensor(5.0)}, image),
        Turn(total, {"a": OnAnotherDevice(2.0), "b": torch.tensor(6.0, dtype=torch.float64)}, image),
    ]
    assert _mean_terms({"generator/": turns}, torch.device("cpu")) == {"generator/a": 1.5, "generator/b": 5.5}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_constant_on_the_cpu_is_a_loss_beside_those_of_a_gpu() -> None:
    gpu = torch.device("cuda")
    terms = {"constant": torch.tensor(0.5), "other": torch.tensor(2.0, device=gpu)}
    turn = Turn(terms["other"], terms, torch.zeros(1))
    assert _mean_terms({"": [turn]}, gpu) == {"constant": 0.5, "other": 2.0}
