"""A SPADE block for activations of one layout in several styles, with norms in whatever form renders fastest."""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine
from generators.spade.modulation import Spade

# The name of a norm of the block and the norm itself -> what labels make of it.
Decide = Callable[[str, nn.Module], Affine]


class StyledBlock(nn.Module):
    """The norms are converted one by one; what labels decide of them is asked for when it is needed."""

    def __init__(self, plain: SpadeBlock, convert: Callable[[Spade], nn.Module]) -> None:
        super().__init__()
        self.norm_0, self.norm_1 = convert(plain.norm_0), convert(plain.norm_1)
        self.norm_s = None if plain.norm_s is None else convert(plain.norm_s)
        self.conv_0, self.conv_1, self.conv_s = plain.conv_0, plain.conv_1, plain.conv_s

    def forward(self, xs: Sequence[Tensor], decide: Decide) -> list[Tensor]:
        # One style at a time, so that their number changes no bit of any; one modulation in memory at a time.
        affine = decide("norm_0", self.norm_0)
        mains: list[Tensor] = [self.conv_0(F.leaky_relu_(affine.apply(x), 0.2)) for x in xs]
        affine = decide("norm_1", self.norm_1)
        mains = [self.conv_1(F.leaky_relu_(affine.apply(main), 0.2)) for main in mains]
        if self.norm_s is None or self.conv_s is None:
            return [main + x for main, x in zip(mains, xs, strict=True)]
        affine = decide("norm_s", self.norm_s)
        return [main + self.conv_s(affine.apply(x)) for main, x in zip(mains, xs, strict=True)]
