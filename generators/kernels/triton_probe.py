"""The smallest kernel: whether it launches tells whether any does."""

import torch
import triton
import triton.language as tl

from generators.kernels.tiles import launched_on


@triton.jit
def _write_one(out):
    tl.store(out, 1)


def launch_one(device: torch.device) -> None:
    """Build the kernel, launch it, and wait for what it wrote."""
    out = torch.zeros(1, dtype=torch.int32, device=device)
    with launched_on(out):
        _write_one[(1,)](out)
    if out.item() != 1:
        raise RuntimeError("a kernel was launched and wrote nothing")
