"""Whether Triton is there, and for which tensors."""

import importlib.util
import os
from functools import cache

from torch import Tensor


def usable(x: Tensor) -> bool:
    """Whether a kernel can run on this tensor. CUDA builds of torch bring Triton; CPU builds do not."""
    return has_triton() and (x.is_cuda or interpreted())


@cache
def has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def interpreted() -> bool:
    """Whether kernels run step by step on a CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"
