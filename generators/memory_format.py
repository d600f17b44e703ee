"""Channels last: the memory layout convolutions are fastest in."""

from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def channels_last(module: M) -> M:
    """Lay out the module's 4-d weights channels last, in place."""
    # torch's annotations of Module.to leave out memory_format.
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
