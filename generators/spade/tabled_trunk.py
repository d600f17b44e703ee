"""The blocks of SPADE, Lab2Pix-V2 and OASIS for GPUs: no bias and no enlargement is a step of its own."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from generators.kernels.activate import activate
from generators.kernels.bare_conv import bias_of, padded_conv, whole_groups
from generators.kernels.modulate import Cells, Table, modulate
from generators.kernels.pixels import as_map, pixel_rows
from generators.spade.block import SpadeBlock
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.tabled import TabledSpade

_SLOPE = 0.2
_COLOURS = 3
# The name of a norm of a block and the norm itself -> what labels make of it.
Decide = Callable[[str, TabledSpade], tuple[Table, Cells | None]]
# A norm and the bias that its input lacks.
Convert = Callable[[Spade, Tensor], TabledSpade]


class TabledBlock(nn.Module):
    """A SPADE block of maps that lack a constant bias, which every norm knows of."""

    bias_of_out_C: Tensor

    def __init__(self, plain: SpadeBlock, convert: Convert, bias_of_x_C: Tensor, doubles: bool) -> None:
        super().__init__()
        self.doubles = doubles
        self.norm_0, self.norm_1 = convert(plain.norm_0, bias_of_x_C), convert(plain.norm_1, bias_of(plain.conv_0))
        self.conv_0, self.conv_1 = padded_conv(plain.conv_0), padded_conv(plain.conv_1)
        self.norm_s: TabledSpade | None = None
        bias_of_out_C = bias_of(plain.conv_1)
        if plain.norm_s is None:
            bias_of_out_C = bias_of_out_C + bias_of_x_C
        else:
            assert isinstance(plain.conv_s, nn.Conv2d)
            self.norm_s = convert(plain.norm_s, bias_of_x_C)
            weight = plain.conv_s.weight.detach().flatten(1)
            self.project = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
            self.project.weight = nn.Parameter(weight.clone())
            bias_of_out_C = bias_of_out_C + bias_of(plain.conv_s)
        self.register_buffer("bias_of_out_C", bias_of_out_C)

    def forward(self, xs: Sequence[Tensor], decide: Decide) -> list[Tensor]:
        # One style at a time, so that their number changes no bit of any; one modulation in memory at a time.
        table, cells = decide("norm_0", self.norm_0)
        modulated = (self._modulate(x, self.norm_0, table, cells, self.doubles, _SLOPE) for x in xs)
        mains: list[Tensor] = [self.conv_0(x) for x in modulated]
        table, cells = decide("norm_1", self.norm_1)
        modulated = (self._modulate(x, self.norm_1, table, cells, False, _SLOPE) for x in mains)
        mains = [self.conv_1(x) for x in modulated]
        if self.norm_s is None:
            return [main.add_(double(x) if self.doubles else x) for main, x in zip(mains, xs, strict=True)]
        table, cells = decide("norm_s", self.norm_s)
        return [self._projected(main, x, self.norm_s, table, cells) for main, x in zip(mains, xs, strict=True)]

    def _modulate(
        self, x_BCHW: Tensor, norm: TabledSpade, table: Table, cells: Cells | None, doubles: bool, slope: float
    ) -> Tensor:
        return modulate(x_BCHW, table, norm.bias, cells, doubled=doubles, slope=slope)

    def _projected(self, main: Tensor, x: Tensor, norm: TabledSpade, table: Table, cells: Cells | None) -> Tensor:
        """The projected shortcut added to the main branch by the matrix product itself."""
        shortcut_PC = pixel_rows(self._modulate(x, norm, table, cells, self.doubles, 1.0))
        batch, _, height, width = main.shape
        return as_map(pixel_rows(main).addmm_(shortcut_PC, self.project.weight.t()), batch, height, width)


class TabledTrunk(nn.Module):
    """Blocks, then colours. `bias_of_start_C` is what the first maps lack."""

    rgb_bias: Tensor

    def __init__(
        self,
        blocks: Sequence[SpadeBlock],
        doubles: Sequence[bool],
        to_rgb: nn.Conv2d,
        bias_of_start_C: Tensor,
        convert: Convert,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        bias_C = bias_of_start_C
        for plain, doubling in zip(blocks, doubles, strict=True):
            block = TabledBlock(plain, convert, bias_C, doubling)
            self.blocks.append(block)
            bias_C = block.bias_of_out_C
        self.to_rgb = padded_conv(to_rgb, outputs=whole_groups(_COLOURS))
        self.register_buffer("rgb_bias", bias_of(to_rgb).view(1, -1, 1, 1))

    def forward(
        self, xs: list[Tensor], decide: Callable[[int, str, TabledSpade], tuple[Table, Cells | None]]
    ) -> list[Tensor]:
        """`decide` is told the number of the block as well."""
        for index, block in enumerate(self.blocks):
            xs = block(xs, lambda name, norm, index=index: decide(index, name, norm))
        return [self._finish(x) for x in xs]

    def _finish(self, x_BCHW: Tensor) -> Tensor:
        last = self.blocks[-1]
        assert isinstance(last, TabledBlock)
        colours = self.to_rgb(activate(x_BCHW, last.bias_of_out_C, _SLOPE))[:, :_COLOURS]
        # tanh in full precision: half precision would band the highlights.
        return torch.tanh_(colours.float() + self.rgb_bias)
