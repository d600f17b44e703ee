"""torch.compile, block by block: equal blocks share their code, and what cannot be compiled is trained as it is."""

import torch
from torch import Tensor, nn

from generators.recompute import blocks_of


def compile_blocks(module: nn.Module, device: torch.device) -> list[str]:
    """Compile every block of the module; what to say of it when there is no compiler here."""
    problem = compiler_problem(device)
    if problem:
        return [f"compile: left out, as nothing can be compiled here ({problem})"]
    for block in blocks_of(module):
        block.forward = torch.compile(block.forward)
    return []


def compiler_problem(device: torch.device) -> str:
    """Why nothing can be compiled for this device; empty when it can."""
    torch.compiler.reset()
    try:
        torch.compile(_twice)(torch.ones(8, device=device))
    except Exception as error:  # each backend of each device has its own
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[0] if lines else type(error).__name__
    return ""


def _twice(x: Tensor) -> Tensor:
    return x * 2 + 1
