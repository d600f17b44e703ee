"""A generator made ready for a device: laid out, rewritten, rounded, compiled, recorded, as asked."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from generators.family import Generator
from generators.inference.device import FastPath, round_weights
from generators.inference.graphs import Forward, Graphed
from generators.layout import Layout
from generators.memory_format import channels_last
from generators.minimal_filtering import filtered_minimally
from generators.spectral_norm import bake

_COMPILE_MODE = "max-autotune-no-cudagraphs"


class Network:
    """A copy of the generator on its device. The generator itself stays as it was."""

    def __init__(self, generator: Generator, device: torch.device, precision: torch.dtype, path: FastPath) -> None:
        if path.graphs and device.type != "cuda":
            raise ValueError(f"graphs are asked for, but {device} records none; only CUDA devices do")
        self.device, self._precision, self._path = device, precision, path
        self.generator = self._made_ready(generator)
        self._forward: Forward = self._eager
        if path.compiled:
            self._forward = torch.compile(self._eager, mode=_COMPILE_MODE if device.type == "cuda" else None)
        if path.graphs:
            self._forward = Graphed(self._forward)

    @property
    def shares_layouts(self) -> bool:
        # What is compiled or recorded is the whole network, label work and all.
        return self.generator.shares_layouts and not (self._path.compiled or self._path.graphs)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        condition = self.generator.condition(labels_BHW, instances_BHW)
        return self._laid_out(condition)

    def __call__(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is not None and style.ndim == 4:
            style = self._laid_out(style)
        return self._forward(condition, style)

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        with self._reduced():
            return self.generator.in_styles(layout, styles)

    def _made_ready(self, generator: Generator) -> Generator:
        rewrites = self._path.rewrites
        if rewrites == "none":
            ready = bake(copy.deepcopy(generator).eval())
        else:
            ready = generator.for_inference(torch.device("cpu") if rewrites == "lookup" else self.device)
        if rewrites == "dense" or self._path.compiled or self._path.graphs:
            ready.fix_shapes()
        ready = ready.to(self.device)
        if self._precision != torch.float32:
            ready = round_weights(ready, self._precision)
        elif self.device.type == "cpu" and rewrites != "none" and not self._path.compiled:
            filtered_minimally(ready)  # a compiler would unroll its loops over tiles
        return channels_last(ready) if self._path.channels_last else ready

    def _eager(self, condition: Tensor, style: Tensor | None) -> Tensor:
        with self._reduced():
            image: Tensor = self.generator(condition, style)
        return image

    def _reduced(self) -> torch.autocast:
        # Weights are rounded already; a cache of roundings must not be recorded.
        return torch.autocast(
            self.device.type, self._precision, enabled=self._precision != torch.float32, cache_enabled=False
        )

    def _laid_out(self, tensor: Tensor) -> Tensor:
        if tensor.ndim != 4 or not self._path.channels_last:
            return tensor
        return tensor.contiguous(memory_format=torch.channels_last)
