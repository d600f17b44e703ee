"""3 x 3 convolutions with a quarter of the multiplications, for float32 on a processor.

Winograd's minimal filtering F(4 x 4, 3 x 3), after Lavin and Gray 2016: a map is cut into tiles of 4 x 4 outputs; the
6 x 6 inputs of each, and the kernel, are taken to the values of their polynomials at six points, multiplied there, 36
products a channel in place of 144, and taken back. Exact but for rounding, and the points decide about that: with
0, +-2/3, +-3/2 in place of the usual 0, +-1, +-2 they are half as large: a millionth of the outputs, root mean square.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TILE = 4
_TAPS = 3
_SIDE = TILE + _TAPS - 1
_POINTS = tuple(Fraction(*point) for point in ((0, 1), (2, 3), (-2, 3), (3, 2), (-3, 2)))  # and infinity
_TILES_AT_ONCE = 128  # their products of some hundred channels lie in the cache
_LEAST_CHANNELS = 64


class Transforms(NamedTuple):
    """One-dimensional: outputs = back @ ((kernel @ taps) * (into @ inputs))."""

    back: Tensor  # TILE x _SIDE
    kernel: Tensor  # _SIDE x _TAPS
    into: Tensor  # _SIDE x _SIDE


def toom_cook(points: Sequence[Fraction]) -> Transforms:
    """The transforms of these points and infinity, in double precision.

    An output is a coefficient of a product of polynomials seen in transposition: kernels are evaluated at the points
    and divided by what Lagrange's interpolation divides by, inputs meet the coefficients of its numerators.
    """
    others = [[point for point in points if point != own] for own in points]
    divisors = [_product([own - point for point in rest]) for own, rest in zip(points, others, strict=True)]
    last = len(points)
    back = [[p**row for p in points] + [Fraction(row == TILE - 1)] for row in range(TILE)]
    kernel = [[p**tap / divisor for tap in range(_TAPS)] for p, divisor in zip(points, divisors, strict=True)]
    kernel.append([Fraction(tap == _TAPS - 1) for tap in range(_TAPS)])
    into = [[*_coefficients(rest), Fraction(0)] for rest in others]
    into.append(_coefficients(points))
    assert len(into[last]) == _SIDE
    return Transforms(*(_matrix(rows) for rows in (back, kernel, into)))


def _matrix(rows: Sequence[Sequence[Fraction]]) -> Tensor:
    return torch.tensor([[float(x) for x in row] for row in rows], dtype=torch.float64)


def _product(factors: Sequence[Fraction]) -> Fraction:
    total = Fraction(1)
    for factor in factors:
        total *= factor
    return total


def _coefficients(roots: Sequence[Fraction]) -> list[Fraction]:
    """Of the polynomial with these roots, lowest power first."""
    found = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *found]
        found = [high - root * low for high, low in zip(shifted, [*found, Fraction(0)], strict=True)]
    return found


_EXACT = toom_cook(_POINTS)


def applies(x_BCHW: Tensor) -> bool:
    """Whether multiplications are what costs: on a processor, and in float32, as half precision cannot bear it."""
    return x_BCHW.device.type == "cpu" and x_BCHW.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")


def pays(conv: nn.Conv2d) -> bool:
    """Whether a convolution is of the kind, and wide enough that its products outweigh the way there and back."""
    kind = conv.kernel_size == (3, 3) and conv.stride == conv.dilation == (1, 1) and conv.groups == 1
    return kind and conv.padding_mode == "zeros" and min(conv.in_channels, conv.out_channels) >= _LEAST_CHANNELS


class Chunk(NamedTuple):
    """Some neighbouring tiles of one map of a batch."""

    image: int
    row: int
    column: int
    rows: int
    columns: int

    def window(self, x_BCHW: Tensor, side: int, down: int = 0, right: int = 0) -> Tensor:
        """side x side x rows x columns x channels: the squares at the corners of the tiles, moved; a view."""
        x_HWC = x_BCHW[self.image].permute(1, 2, 0)
        across, along, deep = x_HWC.stride()
        start = x_HWC.storage_offset() + (TILE * self.row + down) * across + (TILE * self.column + right) * along
        size = (side, side, self.rows, self.columns, x_HWC.shape[2])
        return x_HWC.as_strided(size, (across, along, TILE * across, TILE * along, deep), start)

    def values(self, x_BCHW: Tensor) -> Tensor:
        """Points x tiles x channels: the tiles of a map that brings its border, at the points."""
        into = _EXACT.into.to(x_BCHW.dtype)
        window = self.window(x_BCHW, _SIDE)
        down = torch.mm(into, window.reshape(_SIDE, -1)).view(_SIDE, _SIDE, -1)
        return torch.matmul(into, down).view(_SIDE**2, self.rows * self.columns, -1)


class TileGrid(NamedTuple):
    """The tiles that cover a map of outputs."""

    batch: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Of the map with its last tiles whole."""
        return -(-self.height // TILE) * TILE, -(-self.width // TILE) * TILE

    def padded(self, x_BCHW: Tensor, above: int = 0, left: int = 0) -> Tensor:
        """Channels last, so many zeros above and left, and as many below and right as whole tiles and a border need."""
        height, width = self.size
        below = height + _TAPS - 1 - above - x_BCHW.shape[2]
        right = width + _TAPS - 1 - left - x_BCHW.shape[3]
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        return F.pad(x_BCHW, (left, right, above, below)) if above or left or below or right else x_BCHW

    def empty(self, like: Tensor, channels: int) -> Tensor:
        """A map for outputs, its last tiles whole, channels last."""
        return like.new_empty(self.batch, *self.size, channels).permute(0, 3, 1, 2)

    def chunks(self) -> Iterator[Chunk]:
        """All tiles, a cache's fill at a time."""
        rows, columns = (side // TILE for side in self.size)
        wide = min(columns, _TILES_AT_ONCE)
        high = max(1, _TILES_AT_ONCE // wide)
        for image in range(self.batch):
            for row in range(0, rows, high):
                for column in range(0, columns, wide):
                    yield Chunk(image, row, column, min(high, rows - row), min(wide, columns - column))


class TileKernel(nn.Module):
    """Kernels at the points, and the way back."""

    values: Tensor
    bias: Tensor

    def __init__(self, weight_OIHW: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        kernel = _EXACT.kernel
        at_points = torch.einsum("ai,bj,ocij->abco", kernel, kernel, weight_OIHW.double())
        self.register_buffer("values", at_points.flatten(0, 1).float().contiguous(), persistent=False)
        # A constant added to all outputs of a tile is one more product, which the way back takes as it is.
        self.register_buffer("bias", weight_OIHW.new_zeros(len(weight_OIHW)) if bias is None else bias.detach())
        back = torch.kron(_EXACT.back, _EXACT.back)
        self.register_buffer("back", torch.cat([back, torch.ones(TILE**2, 1)], 1).float(), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """TILE² x tiles x channels: the outputs of tiles at the points."""
        tiles, channels = values.shape[1], len(self.bias)
        products = values.new_empty(_SIDE**2 + 1, tiles, channels)
        torch.bmm(values, self.values, out=products[:-1])
        products[-1] = self.bias
        return torch.mm(cast(Tensor, self.back), products.flatten(1)).view(TILE**2, tiles, channels)


class MinimalConv(nn.Module):
    """A 3 x 3 convolution, by minimal filtering where that pays and applies."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.direct, self.pays = conv, pays(conv)
        self._kernel: TileKernel | None = None  # made when first used: in half precision never

    @property
    def kernel(self) -> TileKernel:
        if self._kernel is None:
            self._kernel = TileKernel(self.direct.weight.detach(), self.direct.bias)
        return self._kernel

    def forward(self, x_BCHW: Tensor, padding: tuple[int, int] | None = None) -> Tensor:
        """Zeros are added as the convolution does, unless told otherwise."""
        above, left = padding or cast(tuple[int, int], self.direct.padding)
        if not (self.pays and applies(x_BCHW)):
            return F.conv2d(x_BCHW, self.direct.weight, self.direct.bias, self.direct.stride, (above, left))
        batch, _, height, width = x_BCHW.shape
        grid = TileGrid(batch, height + 2 * above - 2, width + 2 * left - 2)
        padded = grid.padded(x_BCHW, above, left)
        out_BCHW = grid.empty(x_BCHW, self.direct.out_channels)
        for chunk in grid.chunks():
            tiles = chunk.window(out_BCHW, TILE)
            tiles.copy_(self.kernel(chunk.values(padded)).view(tiles.shape))
        return out_BCHW[:, :, : grid.height, : grid.width]
