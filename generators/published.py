"""The authors' published checkpoints as weights of ours: names mapped, spectral norms kept, every misfit named."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from generators.checkpoint import check_fit

Shapes = Mapping[str, tuple[int, ...]]

# torch.nn.utils.spectral_norm of the authors' day, and the parametrisation that took its place: the same tensors.
_LEAVES = {
    "parametrizations.weight.original": "weight_orig",
    "parametrizations.weight.0._u": "weight_u",
    "parametrizations.weight.0._v": "weight_v",
}
_DATA_PARALLEL = "module."


@dataclass(frozen=True)
class Names:
    """Module paths of one network, ours to the authors': how each begins, and what follows where that differs."""

    beginnings: Mapping[str, str]
    endings: Mapping[str, str] = field(default_factory=dict)
    unused: str = r"(?!)"  # tensors of theirs that no forward pass reads

    def of_tensor(self, ours: str) -> str:
        """What the authors call this entry of our state dict."""
        for leaf, theirs in _LEAVES.items():
            if ours.endswith(f".{leaf}"):
                return f"{self.of_module(ours.removesuffix(f'.{leaf}'))}.{theirs}"
        module, _, leaf = ours.rpartition(".")
        return f"{self.of_module(module)}.{leaf}"

    def of_module(self, ours: str) -> str:
        """What the authors call this module."""
        for beginning, theirs in self.beginnings.items():
            if ours == beginning:
                return theirs
            if ours.startswith(f"{beginning}."):
                rest = ours.removeprefix(f"{beginning}.")
                return f"{theirs}.{self.endings.get(rest, rest)}"
        raise ValueError(f"{ours} has no name in the authors' networks")


class Target(NamedTuple):
    """What the catalog and the user say of the model to be made."""

    num_channels: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Published:
    """How to read the authors' checkpoints of one family."""

    settings: Callable[[Shapes, Target], dict[str, Any]]  # the hyper-parameters that the shapes tell
    generator: Callable[[Any], Names]
    encoder: Callable[[Any], Names] | None = None
    encoder_settings: Callable[[Shapes], dict[str, Any]] | None = None


def plain_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under the names they have in the network, without the prefix that data-parallel training adds."""
    if all(name.startswith(_DATA_PARALLEL) for name in tensors):
        return {name.removeprefix(_DATA_PARALLEL): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def shape(shapes: Shapes, name: str, dimensions: int | None = None) -> tuple[int, ...]:
    """The shape of a tensor that every checkpoint of the family has; ValueError where this one has not."""
    if name not in shapes:
        first = ", ".join(list(shapes)[:3])
        raise ValueError(f"{name} is missing; the file holds {first}, ...")
    if dimensions is not None and len(shapes[name]) != dimensions:
        raise ValueError(f"{name} has shape {shapes[name]}, expected {dimensions} dimensions")
    return shapes[name]


def instance_edges(condition_channels: int, target: Target) -> bool:
    """Whether one channel of edges follows the one-hot labels; ValueError where the catalog is another."""
    extra = condition_channels - target.num_channels
    if extra not in (0, 1):
        raise ValueError(
            f"the network takes {condition_channels} channels, the catalog has {target.num_channels} "
            "(and one more of instance edges); give the catalog it was trained on"
        )
    return bool(extra)


@torch.no_grad()
def adopt(module: nn.Module, tensors: Mapping[str, Tensor], names: Names, origin: str) -> None:
    """Give a module (on the meta device, say) the authors' tensors; ValueError naming the first that do not fit."""
    ours = module.state_dict()
    theirs = {names.of_tensor(name): name for name in ours}
    found = {name: tensor for name, tensor in tensors.items() if not re.search(names.unused, name)}
    for name in theirs:
        if name.endswith(".num_batches_tracked"):  # absent before PyTorch 0.4.1, and read by nothing
            found.setdefault(name, torch.tensor(0))
    check_fit({name: ours[own] for name, own in theirs.items()}, found, origin)
    module.load_state_dict({own: _as_saved(found[name]) for name, own in theirs.items()}, assign=True)


def _as_saved(tensor: Tensor) -> Tensor:
    return (tensor.float() if tensor.is_floating_point() else tensor).detach().clone()
