"""Weights to and from safetensors: names, shapes and numbers, nothing that runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_NAMED_IN_ERRORS = 3


def save_weights(module: nn.Module, path: Path | str, about: Mapping[str, str] | None = None) -> None:
    """Write every parameter and buffer of the module, and what the file is to say of itself."""
    # Clones: safetensors refuses tensors that share memory, and plain layout is what other readers expect.
    weights = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }
    save_file(weights, str(path), dict(about) if about else None)


def load_weights(module: nn.Module, path: Path | str) -> None:
    """Fill the module from a file; ValueError naming the first tensors that do not fit, the module then untouched."""
    fit_weights(module, read_weights(path), str(path))


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Every tensor of a safetensors file."""
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def about_weights(path: Path | str) -> dict[str, str]:
    """What a safetensors file says of itself."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


@contextmanager
def _opened(path: Path | str) -> Iterator[Any]:
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise ValueError(f"{path}: no such weights file") from None
    except SafetensorError as error:
        raise ValueError(f"{path}: not a whole safetensors file ({error})") from None


def fit_weights(module: nn.Module, weights: Mapping[str, Tensor], origin: str) -> None:
    """Load tensors into the module, or say which ones do not fit."""
    check_fit(module.state_dict(), weights, origin)
    module.load_state_dict(dict(weights))


def check_fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], origin: str) -> None:
    """ValueError naming the first tensors that are missing, of another shape or too many."""
    problems = _misfits(expected, found)
    if problems:
        more = f" and {len(problems) - _NAMED_IN_ERRORS} more" if len(problems) > _NAMED_IN_ERRORS else ""
        raise ValueError(f"{origin}: weights do not fit the network: {'; '.join(problems[:_NAMED_IN_ERRORS])}{more}")


def _misfits(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    wrong = [
        f"{name} has shape {tuple(found[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    missing = [f"{name} is missing" for name in expected if name not in found]
    surplus = [f"{name} is not part of the network" for name in found if name not in expected]
    return wrong + missing + surplus
