"""3 x 3 convolutions with a quarter of the multiplications, for float32 on a processor.

Winograd's minimal filtering F(4 x 4, 3 x 3), after Lavin and Gray 2016: a map is cut into tiles of 4 x 4 outputs; the
6 x 6 inputs of each, and the kernel, are taken to the values of their polynomials at six points, multiplied there, 36
products a channel in place of 144, and taken back. Exact but for rounding, and the points decide about that: with
0, +-2/3, +-3/2 in place of the usual 0, +-1, +-2 roundings are half as large, a millionth of the outputs' spread.

Kernels at the points take four times the memory of the kernels. The largest ones are taken to four points only, for
tiles of 2 x 2: 1.8 times the memory and 2.25 times less to multiply.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TAPS = 3
_TILES_AT_ONCE = 128  # their products of some hundred channels lie in the cache
_LEAST_CHANNELS = 64  # fewer, and the way there and back takes what is won
_MOST_WEIGHTS = 128 * 256  # of a kernel that is taken to 36 values a channel


class Filtering(NamedTuple):
    """The transforms of one dimension: outputs = back @ ((kernel @ taps) * (into @ inputs))."""

    tile: int  # outputs
    side: int  # inputs and points
    back: Tensor
    kernel: Tensor
    into: Tensor


def toom_cook(tile: int, points: Sequence[Fraction]) -> Filtering:
    """With these points and infinity, in double precision.

    An output is a coefficient of a product of polynomials seen in transposition: kernels are evaluated at the points
    and divided by what Lagrange's interpolation divides by, inputs meet the coefficients of its numerators.
    """
    others = [[point for point in points if point != own] for own in points]
    divisors = [_product([own - point for point in rest]) for own, rest in zip(points, others, strict=True)]
    back = [[point**row for point in points] + [Fraction(row == tile - 1)] for row in range(tile)]
    kernel = [[p**tap / divisor for tap in range(_TAPS)] for p, divisor in zip(points, divisors, strict=True)]
    kernel.append([Fraction(tap == _TAPS - 1) for tap in range(_TAPS)])
    into = [[*_coefficients(rest), Fraction(0)] for rest in others]
    into.append(_coefficients(points))
    return Filtering(tile, len(into), _matrix(back), _matrix(kernel), _matrix(into))


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


def _matrix(rows: Sequence[Sequence[Fraction]]) -> Tensor:
    return torch.tensor([[float(x) for x in row] for row in rows], dtype=torch.float64)


OF_FOUR = toom_cook(4, [Fraction(*point) for point in ((0, 1), (2, 3), (-2, 3), (3, 2), (-3, 2))])
OF_TWO = toom_cook(2, [Fraction(0), Fraction(1), Fraction(-1)])


class Chunk(NamedTuple):
    """Some neighbouring tiles of one map of a batch."""

    filtering: Filtering
    image: int
    row: int
    column: int
    rows: int
    columns: int

    def outputs(self, map_BCHW: Tensor, down: int = 0, right: int = 0) -> Tensor:
        """tile x tile x rows x columns x channels: the pixels of the tiles, or those so far beside them; a view."""
        return self._squares(map_BCHW, self.filtering.tile, down, right)

    def values(self, x_BCHW: Tensor) -> Tensor:
        """Points x tiles x channels: the inputs of the tiles, from a map that brings its border, at the points."""
        side, into = self.filtering.side, self.filtering.into.to(x_BCHW)
        inputs = self._squares(x_BCHW, side)
        down = torch.mm(into, inputs.reshape(side, -1)).view(side, side, -1)
        return torch.matmul(into, down).view(side**2, self.rows * self.columns, -1)

    def _squares(self, map_BCHW: Tensor, side: int, down: int = 0, right: int = 0) -> Tensor:
        tile, map_HWC = self.filtering.tile, map_BCHW[self.image].permute(1, 2, 0)
        across, along, deep = map_HWC.stride()
        start = map_HWC.storage_offset() + (tile * self.row + down) * across + (tile * self.column + right) * along
        size = (side, side, self.rows, self.columns, map_HWC.shape[2])
        return map_HWC.as_strided(size, (across, along, tile * across, tile * along, deep), start)


class TileGrid(NamedTuple):
    """The tiles that cover a map of outputs."""

    filtering: Filtering
    batch: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Of the map with its last tiles whole."""
        tile = self.filtering.tile
        return -(-self.height // tile) * tile, -(-self.width // tile) * tile

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

    def bands(self) -> Iterator[tuple[int, "TileGrid"]]:
        """The grid from top to bottom, a chunk's rows at a time, so that no map is padded as a whole."""
        rows = self.filtering.tile * self._chunk[0]
        for top in range(0, self.height, rows):
            yield top, self._replace(height=min(rows, self.height - top))

    @property
    def _chunk(self) -> tuple[int, int]:
        """Rows and columns of tiles that go together."""
        columns = min(self.size[1] // self.filtering.tile, _TILES_AT_ONCE)
        return max(1, _TILES_AT_ONCE // columns), columns

    def chunks(self) -> Iterator[Chunk]:
        """All tiles, a cache's fill at a time."""
        rows, columns = (side // self.filtering.tile for side in self.size)
        high, wide = self._chunk
        for image in range(self.batch):
            for row in range(0, rows, high):
                for column in range(0, columns, wide):
                    many, broad = min(high, rows - row), min(wide, columns - column)
                    yield Chunk(self.filtering, image, row, column, many, broad)


class MinimalConv(nn.Module):
    """A 3 x 3 convolution whose kernels lie at the points."""

    kernel: Tensor
    bias: Tensor
    back: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        if not _fits(conv):
            raise ValueError(f"only plain 3 x 3 convolutions of stride 1 are filtered minimally, not {conv}")
        weight = conv.weight.detach()
        self.padding, self.padding_mode = cast(tuple[int, int], conv.padding), conv.padding_mode
        self.out_channels, in_channels = weight.shape[:2]
        self.filtering = OF_TWO if self.out_channels * in_channels > _MOST_WEIGHTS else OF_FOUR
        of_one = self.filtering.kernel
        at_points = torch.einsum("ai,bj,ocij->abco", of_one, of_one, weight.double())
        self.register_buffer("kernel", at_points.flatten(0, 1).float().contiguous())
        # A constant added to all outputs of a tile is one more product, which the way back takes as it is.
        back = torch.kron(self.filtering.back, self.filtering.back)
        self.register_buffer("back", torch.cat([back, torch.ones(len(back), 1)], 1).float())
        self.register_buffer("bias", torch.zeros(self.out_channels) if conv.bias is None else conv.bias.detach())

    def forward(self, x_BCHW: Tensor, padding: tuple[int, int] | None = None) -> Tensor:
        """Padded as the convolution did, unless told to add zeros otherwise."""
        above, left = self.padding if padding is None else padding
        if padding is None and self.padding_mode != "zeros":
            x_BCHW = F.pad(x_BCHW, (left, left, above, above), mode=self.padding_mode)
            above = left = 0
        batch, _, height, width = x_BCHW.shape
        grid = TileGrid(self.filtering, batch, height + 2 * above - 2, width + 2 * left - 2)
        out_BCHW = grid.empty(x_BCHW, self.out_channels)
        for top, band in grid.bands():
            rows = x_BCHW[:, :, max(top - above, 0) : top - above + band.height + _TAPS - 1]
            padded = band.padded(rows, max(above - top, 0), left)
            out_rows = out_BCHW[:, :, top : top + band.size[0]]
            for chunk in band.chunks():
                outputs = chunk.outputs(out_rows)
                outputs.copy_(self.tiles(chunk.values(padded)).view(outputs.shape))
        return out_BCHW[:, :, : grid.height, : grid.width]

    def tiles(self, values: Tensor) -> Tensor:
        """tile² x tiles x channels: the outputs of tiles at the points."""
        points, tiles, _ = values.shape
        products = values.new_empty(points + 1, tiles, self.out_channels)
        torch.bmm(values, self.kernel, out=products[:-1])
        products[-1] = self.bias
        return torch.mm(self.back, products.flatten(1)).view(-1, tiles, self.out_channels)


def convolved(conv: nn.Module, x_BCHW: Tensor, padding: tuple[int, int]) -> Tensor:
    """By a convolution of either form, padded as told."""
    if isinstance(conv, MinimalConv):
        found: Tensor = conv(x_BCHW, padding)
        return found
    assert isinstance(conv, nn.Conv2d)
    return F.conv2d(x_BCHW, conv.weight, conv.bias, conv.stride, padding)


def filtered_minimally(module: nn.Module) -> None:
    """Every convolution in a module of which that is the faster form is replaced."""
    for parent in module.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and _fits(child) and _is_wide(child):
                setattr(parent, name, MinimalConv(child))


def _fits(conv: nn.Conv2d) -> bool:
    plain = conv.kernel_size == (3, 3) and conv.stride == conv.dilation == (1, 1) and conv.groups == 1
    return plain and not isinstance(conv.padding, str)


def _is_wide(conv: nn.Conv2d) -> bool:
    return min(conv.in_channels, conv.out_channels) >= _LEAST_CHANNELS
