"""Everything that changes while training: networks, optimisers, random state, position. Saved and restored as one."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from generators import family_named
from generators.family import Batch, Generator, Turn
from pipeline.model_directory import label_space
from pipeline.training.average import MovingAverage
from pipeline.training.batches import coarsened
from pipeline.training.job import Job
from pipeline.training.schedule import LinearDecay
from pipeline.training.workers import Group


class NotFiniteError(Exception):
    """A loss that is no number any more."""

    def __init__(self, step: int, term: str, value: float) -> None:
        super().__init__(f"loss {term!r} became {value} at step {step}")
        self.step, self.term = step, term


class TrainingState:
    """One training in memory."""

    def __init__(self, job: Job, device: torch.device, group: Group) -> None:
        self.device, self._group, self._job = device, group, job
        self._family = family_named(job.family)
        self._dtype = choose_dtype(job.precision, device)
        torch.manual_seed(job.seed)
        self.system = self._family.build_system(job.config, label_space(job.catalog)).to(device)
        if device.type == "cuda" and group.world_size > 1:
            convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
            convert(self.system)
        _store_channels_last(self.system)
        self.system.train()
        group.start_alike(self.system)
        self.step = 0
        self.attempt = 0
        self._reseed()
        self._optimizers = self.system.optimizers()
        self._decays = [LinearDecay(o, job.steps, job.decay_share) for o in self._optimizers]
        self.average = MovingAverage(self.system.generator, job.average_decay) if job.average_decay else None

    @property
    def precision(self) -> str:
        return str(self._dtype).removeprefix("torch.")

    def train_step(self, batches: list[Batch]) -> dict[str, float]:
        """One update of both players over the batches; the losses by name."""
        for decay in self._decays:
            decay.apply(self.step)
        if self.step < self._job.coarse_steps:
            batches = [coarsened(batch, self._job.coarse_factor) for batch in batches]
        generator, discriminator = self._optimizers
        turns = [self._turn(batch, "generator", len(batches)) for batch in batches]
        self._update(generator)
        answers = [
            self._turn(batch, "discriminator", len(batches), turn.fake_BCHW)
            for batch, turn in zip(batches, turns, strict=True)
        ]
        self._update(discriminator)
        if self.average is not None:
            self.average.update(self.step)
        self.step += 1
        return _mean_terms(turns, "generator/") | _mean_terms(answers, "discriminator/")

    def _turn(self, batch: Batch, player: str, parts: int, fake_BCHW: torch.Tensor | None = None) -> Turn:
        with torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32):
            turn: Turn = self.system(batch, player, fake_BCHW)
        if self._group.any(not bool(torch.isfinite(turn.total)), self.device):
            raise _not_finite(self.step, player, turn)
        torch.autograd.backward(turn.total / parts)
        return turn._replace(total=turn.total.detach())

    def _update(self, optimizer: torch.optim.Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._group.average_gradients(parameters)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def _reseed(self) -> None:
        """Workers start from the same weights and draw other noise."""
        if self._group.rank > 0:
            torch.manual_seed(hash((self._job.seed, self._group.rank, self.step)))

    def is_finite(self) -> bool:
        """Whether every weight is a number: a checkpoint of anything else could not be stepped back to."""
        return all(bool(torch.isfinite(t).all()) for t in self.system.state_dict().values() if t.is_floating_point())

    def state_dict(self) -> dict[str, Any]:
        """Plain tensors, numbers and texts."""
        state = {
            "step": self.step,
            "attempt": self.attempt,
            "system": self.system.state_dict(),
            "optimizers": [o.state_dict() for o in self._optimizers],
            "average": self.average.state_dict() if self.average is not None else {},
            "random": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["random_cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be exactly where the saved training was."""
        self.step, self.attempt = state["step"], state["attempt"]
        self.system.load_state_dict(state["system"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
            optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda" and "random_cuda" in state:
            torch.cuda.set_rng_state(state["random_cuda"], self.device)
        self._reseed()

    def trained_generator(self) -> Generator:
        """A generator with the weights to keep: averaged where an average is kept."""
        if self.average is None:
            return self.system.generator
        generator = self._family.build_generator(self._job.config, label_space(self._job.catalog)).to(self.device)
        generator.load_state_dict(self.average.state_dict())
        return generator


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the device multiplies it in hardware, else float32."""
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else False
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _store_channels_last(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _not_finite(step: int, player: str, turn: Turn) -> NotFiniteError:
    for name, value in turn.terms.items():
        if not torch.isfinite(value):
            return NotFiniteError(step, f"{player}/{name}", float(value))
    return NotFiniteError(step, f"{player}/total", float(turn.total))


def _mean_terms(turns: list[Turn], prefix: str) -> dict[str, float]:
    return {
        prefix + name: float(torch.stack([turn.terms[name].float() for turn in turns]).mean())
        for name in turns[0].terms
    }
