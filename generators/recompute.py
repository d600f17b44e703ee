"""Activation checkpointing: blocks keep their inputs alone and are run again when gradients come back.

The second run has to be the first one to the bit. Three things would make it another: spectral norms, whose vectors
move with every training forward; batch norms, whose running statistics would be updated twice; and parameters that were
frozen in the first run (a discriminator in the generator's turn) and are not any more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.utils.checkpoint import checkpoint

Buffers = dict[str, Tensor]
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def blocks_of(module: nn.Module) -> list[nn.Module]:
    """The smallest parts of the module that stand in a list and hold convolutions: residual blocks, strided units."""
    found: list[nn.Module] = []
    for part in module.modules():
        if isinstance(part, nn.ModuleList | nn.Sequential):
            found += [unit for unit in part if _holds_convolutions(unit)]
    chosen = {id(unit) for unit in found}
    return [unit for unit in found if not any(id(p) in chosen for p in unit.modules() if p is not unit)]


def recompute_activations(module: nn.Module) -> int:
    """Make every block of the module recompute its activations in training; how many there are."""
    blocks = blocks_of(module)
    for block in blocks:
        block.forward = _recomputing(block)
    return len(blocks)


def _holds_convolutions(unit: nn.Module) -> bool:
    return not isinstance(unit, _CONVOLUTIONS) and any(isinstance(part, _CONVOLUTIONS) for part in unit.modules())


def _recomputing(block: nn.Module) -> Callable[..., Any]:
    plain = block.forward

    def forward(*inputs: Any) -> Any:
        if not block.training:
            return plain(*inputs)
        replay = _Replay(block)
        return checkpoint(plain, *inputs, use_reentrant=False, context_fn=replay.contexts)

    return forward


class _Replay:
    """One forward of a block, and what its second run has to find as the first found it.

    Everything stays in training mode, so that a compiled block is the same compiled block again.
    """

    def __init__(self, block: nn.Module) -> None:
        self._moving = [part for part in block.modules() if isinstance(part, _BatchNorm | _SpectralNorm)]
        self._parameters = list(block.parameters())
        self._trainable = [parameter.requires_grad for parameter in self._parameters]
        self._found: list[Buffers] = []

    def contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return self._first(), self._second()

    @contextmanager
    def _first(self) -> Iterator[None]:
        self._found = [_copied(layer) for layer in self._moving]
        yield

    @contextmanager
    def _second(self) -> Iterator[None]:
        # Other forwards may have come between: a discriminator judges twice before it learns. What they left stays.
        now = [dict(layer.named_buffers(recurse=False)) for layer in self._moving]
        trainable = [parameter.requires_grad for parameter in self._parameters]
        self._set(self._found, self._trainable)
        try:
            yield
        finally:
            self._set(now, trainable)

    def _set(self, buffers: Sequence[Buffers], trainable: Sequence[bool]) -> None:
        for layer, own in zip(self._moving, buffers, strict=True):
            for name, buffer in own.items():
                setattr(layer, name, buffer)
        for parameter, trains in zip(self._parameters, trainable, strict=True):
            parameter.requires_grad_(trains)


def _copied(layer: nn.Module) -> Buffers:
    return {name: buffer.clone() for name, buffer in layer.named_buffers(recurse=False)}
