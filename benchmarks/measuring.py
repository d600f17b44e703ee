"""How benchmarks measure: time, matrix products, multiply-accumulates, memory; and where a number came from.

The commit is git's; a copy of a checkout without its repository is told it by SYNTHGEN_COMMIT.
"""

import os
import platform
import resource
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

_CPU_MATRIX, _GPU_MATRIX = 1024, 8192


class Timed(NamedTuple):
    """What a way gave, and its least time."""

    seconds: float
    result: Any


def timed(ways: dict[str, Callable[[], Any]], device: torch.device, repetitions: int) -> dict[str, Timed]:
    """The least of a few repetitions of each way, taken in turn after one round that does not count.

    On a CPU process seconds over all threads, which other work on the machine disturbs less than the clock; on a GPU
    the clock between two waits for the device. With no repetitions the first round counts: for runs of many seconds.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    least: dict[str, Timed] = {}
    for repetition in range(repetitions + 1):
        for name, run in ways.items():
            wait(device)
            start = clock()
            result = run()
            wait(device)
            took = clock() - start
            if repetition <= min(1, repetitions) or took < least[name].seconds:
                least[name] = Timed(took, result)
    return least


def wait(device: torch.device) -> None:
    """Until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Multiply-accumulates a second of a large matrix product: what this device gives at best."""
    size = _CPU_MATRIX if device.type == "cpu" else _GPU_MATRIX
    a = torch.randn(size, size, device=device).to(dtype)
    return size**3 / timed({"product": lambda: a @ a}, device, 5)["product"].seconds


def multiply_accumulates(run: Callable[[], Any]) -> float:
    """Of the convolutions and matrix products that `run` makes; on meta tensors it costs nothing."""
    with FlopCounterMode(display=False) as counter:
        run()
    return float(counter.get_total_flops()) / 2


class PeakTensors(TorchDispatchMode):
    """The most bytes that tensors made inside held at one time. Also of fake tensors, which hold none."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf, given)
        return result

    def _count(self, tensor: Tensor, given: set[int]) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if id(storage) in given or key in self._seen:
            return
        size = storage.nbytes()
        self._seen.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def peak_rss_gib() -> float:
    """The most memory this process ever held."""
    scale = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def provenance(device: torch.device) -> dict[str, Any]:
    """Command, commit, device, date: what a number is worth nothing without."""
    return {
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "commit": _git("rev-parse", "--short", "HEAD") or os.environ.get("SYNTHGEN_COMMIT", ""),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }


def device_name(device: torch.device) -> str:
    """Model, and for a GPU its driver's CUDA."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, driver {_driver()}, CUDA {torch.version.cuda}"
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


def _driver() -> str:
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
