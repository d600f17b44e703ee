"""Batch norm statistics measured anew: averaged weights are none that the running statistics were collected with."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

T = TypeVar("T")


def has_batch_norm(module: nn.Module) -> bool:
    """Whether the module keeps running statistics."""
    return any(_keeps_statistics(part) for part in module.modules())


@torch.no_grad()
def estimate_batch_norms(module: nn.Module, run: Callable[[T], object], batches: Iterable[T]) -> None:
    """Replace running statistics by their plain mean over the batches, each put through `run`.

    Only the batch norms are in training mode: dropout stays off and spectral norms keep their vectors.
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm) and _keeps_statistics(part)]
    if not norms:
        return
    module.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
        norm.train()
    try:
        for batch in batches:
            run(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        module.eval()


def _keeps_statistics(part: nn.Module) -> bool:
    return isinstance(part, _BatchNorm) and part.running_mean is not None
