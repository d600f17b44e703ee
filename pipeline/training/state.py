"""Everything that changes while training: networks, optimisers, position. Saved and restored as one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from generators import family_named
from generators.family import Batch, Generator, System, Turn, take_over
from generators.recompute import recompute_activations
from pipeline.model_directory import label_space
from pipeline.training.average import MovingAverage
from pipeline.training.batches import coarsened
from pipeline.training.compilation import compile_blocks
from pipeline.training.job import Job
from pipeline.training.schedule import LinearDecay
from pipeline.training.workers import Group

_STARTS, _STEPS = 0, 1  # what a stream of random numbers is for
# torch's own first scale of 65536 costs the generator its first seven updates: feature matching makes large gradients.
_FIRST_SCALE = 2.0**8
# A scale this small means that gradients overflow whatever they are multiplied by: they are no numbers.
_LEAST_SCALE = 2.0**-10


class NotFiniteError(Exception):
    """A loss, or a weight, that is no number any more."""

    def __init__(self, step: int, what: str, value: float) -> None:
        super().__init__(f"{what} became {value} at step {step}")
        self.step, self.what = step, what


class Player(NamedTuple):
    """One side of the game: what moves its weights."""

    name: str
    optimizer: torch.optim.Optimizer
    decay: LinearDecay
    scaler: torch.amp.GradScaler


class TrainingState:
    """One training in memory."""

    def __init__(self, job: Job, device: torch.device, group: Group) -> None:
        self.device, self._group, self._job = device, group, job
        self._family = family_named(job.family)
        self._dtype = choose_dtype(job.precision, device)
        self.step = 0
        self.attempt = 0
        self.notes: tuple[str, ...] = ()
        self._begin(0, None)

    @property
    def precision(self) -> str:
        return str(self._dtype).removeprefix("torch.")

    def enter(self, stage: int) -> None:
        """Go on to a stage: a larger network takes over what was learnt; optimisers and averages start afresh."""
        while self.stage < stage:
            self._begin(self.stage + 1, self.system)

    def train_step(self, batches: list[Batch]) -> dict[str, float]:
        """One update of both players over the batches; the losses by name."""
        self._seed(_STEPS, self._group.rank, self.attempt, self.step)
        place = self.step - self._job.first_step(self.stage)
        for player in self._players:
            player.decay.apply(place)
        if place < self._job.coarse_steps:
            batches = [coarsened(batch, self._job.coarse_factor) for batch in batches]
        generator, discriminator = self._players
        turns = [self._turn(batch, generator, len(batches)) for batch in batches]
        self._update(generator)
        answers = [
            self._turn(batch, discriminator, len(batches), turn.fake_BCHW)
            for batch, turn in zip(batches, turns, strict=True)
        ]
        self._update(discriminator)
        if self.average is not None:
            self.average.update(place)
        self.step += 1
        return _mean_terms({"generator/": turns, "discriminator/": answers}, self.device)

    def _begin(self, stage: int, coarser: System | None) -> None:
        part = self._job.stages[stage]
        self._seed(_STARTS, stage)
        if coarser is None or self._job.stages[stage - 1].config != part.config:
            self.system = self._family.build_system(part.config, label_space(self._job.catalog)).to(self.device)
            if coarser is not None:
                take_over(self.system, coarser)
            self._prepare()
        elif self._job.stages[stage - 1].freeze_coarse:
            self.system.freeze_coarse(False)
        if part.freeze_coarse:
            self.system.freeze_coarse(True)
        self.stage = stage
        generator, discriminator = self.system.optimizers()
        self._players = (
            self._player("generator", generator, part.steps, part.decay_share),
            self._player("discriminator", discriminator, part.steps, part.decay_share),
        )
        decay = self._job.average_decay
        self.average = MovingAverage(self.system.generator, decay) if decay else None

    def _prepare(self) -> None:
        """Lay the system out for its device."""
        job, system = self._job, self.system
        if self.device.type == "cuda" and self._group.world_size > 1:
            convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
            convert(system)
        if job.channels_last:
            _store_channels_last(system)
        notes = list(system.fallbacks())
        # Compiled first: what is computed again is then compiled as well.
        if job.compile:
            notes += compile_blocks(system, self.device)
        if job.recompute:
            recompute_activations(system)
        self.notes = tuple(notes)
        system.train()
        self._group.start_alike(system)

    def _player(self, name: str, optimizer: torch.optim.Optimizer, steps: int, decay_share: float) -> Player:
        half = self._dtype == torch.float16
        scaler = torch.amp.GradScaler(self.device.type, init_scale=_FIRST_SCALE, enabled=half)
        return Player(name, optimizer, LinearDecay(optimizer, steps, decay_share), scaler)

    def _turn(self, batch: Batch, player: Player, parts: int, fake_BCHW: Tensor | None = None) -> Turn:
        with torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32):
            turn: Turn = self.system(batch, player.name, fake_BCHW)
        if self._group.any(not bool(torch.isfinite(turn.total)), self.device):
            raise _not_finite(self.step, player.name, turn)
        torch.autograd.backward(player.scaler.scale(turn.total / parts))
        return turn._replace(total=turn.total.detach())

    def _update(self, player: Player) -> None:
        optimizer = player.optimizer
        self._group.average_gradients([p for group in optimizer.param_groups for p in group["params"]])
        # In float16 a step whose gradients overflow is left out, and the next ones are scaled less.
        player.scaler.step(optimizer)
        player.scaler.update()
        optimizer.zero_grad(set_to_none=True)
        if player.scaler.is_enabled() and player.scaler.get_scale() < _LEAST_SCALE:
            raise NotFiniteError(self.step, f"gradients of the {player.name}", float("inf"))

    def _seed(self, *numbers: int) -> None:
        """Random numbers follow from what they are for: a run that resumes draws what it would have drawn."""
        seed = np.random.SeedSequence([self._job.seed, *numbers]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(seed) >> 1)

    def broken_weight(self) -> str | None:
        """The name of a weight that is no number: a checkpoint with one could not be stepped back to."""
        tensors = self.system.state_dict().items()
        return next((n for n, t in tensors if t.is_floating_point() and not bool(torch.isfinite(t).all())), None)

    def state_dict(self) -> dict[str, Any]:
        """Plain tensors, numbers and texts."""
        return {
            "step": self.step,
            "stage": self.stage,
            "attempt": self.attempt,
            "system": self.system.state_dict(),
            "memory": self.system.memory(),
            "optimizers": [player.optimizer.state_dict() for player in self._players],
            "scalers": [player.scaler.state_dict() for player in self._players],
            "average": self.average.state_dict() if self.average is not None else {},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be exactly where the saved training was."""
        if state["stage"] != self.stage:
            self._begin(state["stage"], None)
        self.step, self.attempt = state["step"], state["attempt"]
        self.system.load_state_dict(state["system"])
        self.system.recall(state["memory"])
        for player, optimizer, scaler in zip(self._players, state["optimizers"], state["scalers"], strict=True):
            player.optimizer.load_state_dict(optimizer)
            player.optimizer.zero_grad(set_to_none=True)
            if scaler:
                player.scaler.load_state_dict(scaler)
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def trained_generator(self) -> Generator:
        """A copy of the generator with the weights to keep: averaged where an average is kept; in eval mode."""
        config = self._job.stages[self.stage].config
        generator = self._family.build_generator(config, label_space(self._job.catalog)).to(self.device)
        weights = self.system.generator.state_dict() if self.average is None else self.average.state_dict()
        generator.load_state_dict(weights)
        return generator.eval()


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the device multiplies it in hardware, else float32."""
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else False
        return torch.bfloat16 if fast else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]


def _store_channels_last(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _not_finite(step: int, player: str, turn: Turn) -> NotFiniteError:
    for name, value in turn.terms.items():
        if not torch.isfinite(value):
            return NotFiniteError(step, f"loss '{player}/{name}'", float(value))
    return NotFiniteError(step, f"loss '{player}/total'", float(turn.total))


def _mean_terms(of_players: dict[str, list[Turn]], device: torch.device) -> dict[str, float]:
    """Every loss by name; they leave the device together, as each fetch would wait for it.

    A loss that is a constant may have stayed on the CPU.
    """
    means = {
        prefix + name: torch.stack([turn.terms[name].to(device, torch.float32) for turn in turns]).mean()
        for prefix, turns in of_players.items()
        for name in turns[0].terms
    }
    return dict(zip(means, torch.stack(list(means.values())).tolist(), strict=True))
