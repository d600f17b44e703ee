"""Adding up the weighted terms of one player's turn."""

import torch
from torch import Tensor

from generators.family import Turn


def weighted_turn(terms: dict[str, tuple[float, Tensor]], fake_BCHW: Tensor) -> Turn:
    """A turn from (weight, loss) a term; the terms are reported without their weights."""
    total = torch.stack([weight * loss.float() for weight, loss in terms.values()]).sum()
    return Turn(total, {name: loss.detach() for name, (_, loss) in terms.items()}, fake_BCHW.detach())
