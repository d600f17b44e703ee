"""OASIS for rendering: with one noise vector an image, each distinct neighbourhood of labels is convolved once."""

import copy
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import check_channels, one_hot
from generators.family import Generator
from generators.layout import Layout
from generators.oasis.generator import OasisGenerator
from generators.spade.block import SpadeBlock
from generators.spade.folded import Affine, FoldedSpade, Rows
from generators.spade.label_grid import LabelGrid, sort_pixels
from generators.spade.modulation import Spade
from generators.spade.stages import double
from generators.spade.styled_block import StyledBlock
from generators.spectral_norm import bake
from generators.style import StyleKind


class FoldedOasisGenerator(Generator):
    """Its condition is labels, B x 1 x H x W. Noise painted by region goes through the plain network."""

    style_kind = StyleKind.NOISE
    shares_layouts = True

    def __init__(self, plain: OasisGenerator) -> None:
        super().__init__()
        self.style_dim, self.stride, self.num_channels = plain.style_dim, plain.stride, plain.num_channels
        self.plain = bake(copy.deepcopy(plain).eval())
        self.blocks = nn.ModuleList(StyledBlock(cast(SpadeBlock, block), self._fold) for block in self.plain.blocks)
        self.requires_grad_(False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        return labels_BHW.unsqueeze(1).float()

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if style is None:
            style = torch.randn(len(condition), self.style_dim, 1, 1, device=condition.device)
        pairs = zip(torch.split(condition, 1), torch.split(style, 1), strict=True)
        return torch.cat([self.in_styles(Layout(one), [noise])[0] for one, noise in pairs])

    def in_styles(self, layout: Layout, styles: Sequence[Tensor | None]) -> list[Tensor]:
        grid_of = cache(lambda cell: layout.once(cell, lambda: self._grid(layout.condition[:, 0], cell)))
        return [self._in_style(layout.condition, style, grid_of) for style in styles]

    def _in_style(self, condition: Tensor, style: Tensor | None, grid_of: Callable[[int], LabelGrid]) -> Tensor:
        if style is None:
            style = torch.randn(1, self.style_dim, 1, 1, device=condition.device)
        flat = style[..., :1, :1]
        if not bool((style == flat).all()):
            return cast(Tensor, self.plain(one_hot(condition[:, 0].long(), self.num_channels), style))
        noise_Z = flat[0, :, 0, 0]
        x_BCHW = self._begin(condition[:, 0], noise_Z)
        cell = self.stride
        for index, block in enumerate(self.blocks):
            if index:
                x_BCHW, cell = double(x_BCHW), cell // 2
            [x_BCHW] = block([x_BCHW], partial(_decide, grid_of(cell), noise_Z))
        image: Tensor = torch.tanh(self.plain.to_rgb(F.leaky_relu_(x_BCHW, 0.2)).float())
        return image

    def _grid(self, labels_1HW: Tensor, cell: int) -> LabelGrid:
        # Noise is the same at every pixel but absent outside the image: a map of ones, weighed by the noise.
        labels = labels_1HW[:, ::cell, ::cell]
        return sort_pixels(labels, torch.ones_like(labels), self.num_channels)

    def _begin(self, labels_1HW: Tensor, noise_Z: Tensor) -> Tensor:
        tiny = one_hot(labels_1HW[:, :: self.stride, :: self.stride].long(), self.num_channels)
        noise = noise_Z.view(1, -1, 1, 1).expand(-1, -1, *tiny.shape[2:])
        start: Tensor = self.plain.start(torch.cat([noise, tiny], dim=1))
        return start

    def _fold(self, norm: Spade) -> "NoisySpade":
        return NoisySpade(norm, self.num_channels, self.style_dim)


def _decide(grid: LabelGrid, noise_Z: Tensor, name: str, norm: nn.Module) -> Affine:
    """Labels and noise decide together, so that nothing but the grid serves another noise."""
    assert isinstance(norm, NoisySpade)
    norm.take(noise_Z)
    rows: Rows = norm(grid)
    return rows.spread()


class NoisySpade(FoldedSpade):
    """A folded layer whose edge channel is the noise, as one number a tap and hidden feature."""

    noise_taps: Tensor

    def __init__(self, plain: Spade, num_classes: int, noise_dim: int) -> None:
        shared = plain.shared
        labels_only = copy.deepcopy(plain)
        # Labels first, then one channel for all of the noise.
        labels_only.shared.weight = nn.Parameter(F.pad(shared.weight.detach()[:, noise_dim:], (0, 0, 0, 0, 0, 1)))
        super().__init__(labels_only, num_classes)
        self.register_buffer("noise_taps", shared.weight.detach()[:, :noise_dim].permute(2, 3, 0, 1).flatten(0, 1))

    def take(self, noise_Z: Tensor) -> None:
        self.edge_taps = self.noise_taps @ noise_Z.to(self.noise_taps.dtype)
