"""What a rendering costs: the size of the generator, seconds an image, memory of tensors at their most."""

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_REPETITIONS = 3


@dataclass(frozen=True)
class Cost:
    """Of one image at the model's resolution."""

    parameters: int  # of the generator; a style encoder works in training only
    seconds_an_image: (
        float  # processor seconds on a CPU, which neighbours disturb less than the clock; the clock on a GPU
    )
    peak_memory_mb: float  # of all tensors alive at once; on a CPU without the weights, which are counted apart

    def as_data(self) -> dict[str, float]:
        """As it stands in result files."""
        return dict(vars(self))


def measure_cost(parameters: int, device: torch.device, render: Callable[[], object]) -> Cost:
    """Render one image a few times: the first for memory, the median of the others for time."""
    on_gpu = device.type == "cuda"
    memory = _peak_on_gpu(render) if on_gpu else _peak_on_cpu(render)
    clock = time.perf_counter if on_gpu else time.process_time
    seconds = []
    for _ in range(_REPETITIONS):
        began = clock()
        render()
        seconds.append(clock() - began)
    return Cost(parameters, median(seconds), memory / 1e6)


def _peak_on_gpu(render: Callable[[], object]) -> float:
    torch.cuda.reset_peak_memory_stats()
    render()
    return float(torch.cuda.max_memory_allocated())


def _peak_on_cpu(render: Callable[[], object]) -> float:
    with LiveTensors() as live:
        render()
    return float(live.peak_bytes)


class LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Adds up the storages that operations return for as long as somebody holds them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak_bytes = 0
        self._held: dict[int, int] = {}
        self._bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {_address(each) for each in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(each, Tensor)}
        found = func(*args, **(kwargs or {}))
        for each in torch.utils._pytree.tree_leaves(found):
            # What an operation was given is not its own: weights and inputs, and views of them.
            if isinstance(each, Tensor) and _address(each) not in given:
                self._hold(each.untyped_storage())
        return found

    def _hold(self, storage: torch.UntypedStorage) -> None:
        address, size = storage._cdata, storage.nbytes()
        if address in self._held:
            return
        self._held[address] = size
        self._bytes += size
        self.peak_bytes = max(self.peak_bytes, self._bytes)
        weakref.finalize(storage, self._release, address)

    def _release(self, address: int) -> None:
        self._bytes -= self._held.pop(address, 0)


def _address(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
