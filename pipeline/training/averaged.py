"""The generator that a training would give if it ended now: averaged weights, with statistics that belong to them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

from generators.family import Batch, Generator
from generators.norm_statistics import estimate_batch_norms
from pipeline.training.state import TrainingState


class Rendering:
    """Makes that generator once a step, however many ask for it."""

    def __init__(self, state: TrainingState, batches: Callable[[], Iterable[Batch]], seed: int) -> None:
        self._state, self._batches, self._seed = state, batches, seed
        self._made: tuple[int, Generator] | None = None

    def generator(self) -> Generator:
        """In eval mode, a copy that training does not touch."""
        step = self._state.step
        if self._made is None or self._made[0] != step:
            self._made = None  # one copy at a time
            self._made = (step, self._make())
        return self._made[1]

    def _make(self) -> Generator:
        generator = self._state.trained_generator()
        if self._state.average is not None:

            def run(batch: Batch) -> None:
                generator(generator.condition(batch.labels_BHW, batch.instances_BHW), self._style(batch))

            with aside(self._state.device, self._seed):
                estimate_batch_norms(generator, run, self._batches())
        return generator

    @torch.no_grad()
    def render(self, batch: Batch) -> torch.Tensor:
        """Label maps as images, each in the style of its own photograph where the family can read one."""
        generator = self.generator()
        with aside(self._state.device, self._seed):
            image: torch.Tensor = generator(
                generator.condition(batch.labels_BHW, batch.instances_BHW), self._style(batch)
            )
        return image

    @torch.no_grad()
    def _style(self, batch: Batch) -> torch.Tensor | None:
        system = self._state.system
        # In training mode spectral norms would move: looking must not change what is trained.
        system.eval()
        try:
            return system.encode_style(batch.image_BCHW, batch.instances_BHW)
        finally:
            system.train()


@contextmanager
def aside(device: torch.device, seed: int) -> Iterator[None]:
    """Random numbers drawn inside are the same every time and leave those of training alone."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
