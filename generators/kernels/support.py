"""Whether Triton is there and can launch, and for which tensors."""

import importlib.util
import os
import warnings
from functools import cache

import torch
from torch import Tensor


def usable(x: Tensor) -> bool:
    """Whether a kernel can run on this tensor. CUDA builds of torch bring Triton; CPU builds do not.

    Never while torch.compile traces: it fuses the plain forms itself.
    """
    if torch.compiler.is_compiling() or not has_triton():
        return False
    return interpreted() or (x.is_cuda and launches(x.device))


@cache
def has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def interpreted() -> bool:
    """Whether kernels run step by step on a CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@cache
def launches(device: torch.device) -> bool:
    """Whether a kernel can be built and launched here, found out by doing so once a process; a warning where not.

    Having Triton is not enough: it compiles what launches a kernel with the machine's C compiler, into a cache folder.
    """
    try:
        launch_probe(device)
    except torch.OutOfMemoryError:
        raise  # says nothing of Triton: who asked makes smaller passes, and asks again
    except Exception as error:  # a missing compiler, header, folder or driver: each raises its own
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        warnings.warn(
            f"Triton kernels cannot run on this machine ({said}); the same is computed by plain PyTorch, more slowly. "
            "Triton needs a C compiler (install gcc and libc6-dev) and a cache folder that it can write and load from "
            "(set TRITON_CACHE_DIR)",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def launch_probe(device: torch.device) -> None:
    """Raises whatever stands in Triton's way."""
    from generators.kernels.triton_probe import launch_one

    launch_one(device)
