"""pix2pixHD rewritten for rendering on a CPU: the same images up to rounding, without multiplying by one-hot zeros."""

import copy
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.blocks import InstanceNorm
from generators.conditioning import check_channels, edge_map
from generators.family import Generator
from generators.label_lookup import LabelLookup, halved_one_hot
from generators.narrow_conv import RowwiseConv
from generators.pix2pixhd.generator import LocalEnhancer, Pix2PixHDGenerator


class LookupPix2PixHD(Generator):
    """The finest stem looks labels up; only edges and styles are convolved there. Its condition is labels and edges.

    Coarser levels see averaged labels, which are no single label any more: they keep their convolutions.
    """

    def __init__(self, plain: Pix2PixHDGenerator) -> None:
        super().__init__()
        self.style_kind, self.style_dim, self.stride = plain.style_kind, plain.style_dim, plain.stride
        self.num_channels = plain.num_channels
        self.instance_edges = plain.instance_edges
        self.plain = copy.deepcopy(plain).eval()
        _drop_cancelled_biases(self.plain)
        conv = self._finest_stem()[0]
        assert isinstance(conv, nn.Conv2d)
        self.lookup = LabelLookup(conv, self.num_channels)
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().view(-1, 1, 1), requires_grad=False)
        self.plain.head[0] = RowwiseConv(cast(nn.Conv2d, self.plain.head[0]))
        self.rest = nn.Parameter(conv.weight.detach()[:, self.num_channels :].clone(), requires_grad=False)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """B x 2 x H x W: label channels and instance edges."""
        check_channels(labels_BHW, self.num_channels)
        return torch.cat([labels_BHW.unsqueeze(1).float(), edge_map(instances_BHW)], 1)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        labels_BHW = condition[:, 0].int()
        rest = self._rest_channels(condition[:, 1:], style)
        fine = self._stem(labels_BHW, rest)
        if not self.plain.enhancers:
            image: Tensor = self.plain.head(self.plain.trunk.after_stem(fine)).float()
            return image
        return self._enhance(fine, self._halved(labels_BHW, rest))

    def _halved(self, labels_BHW: Tensor, rest_BCHW: Tensor) -> Tensor:
        parts = [halved_one_hot(labels_BHW, self.num_channels)]
        if rest_BCHW.shape[1]:
            parts.append(self.plain.halve(rest_BCHW))
        return torch.cat(parts, 1)

    def _enhance(self, fine: Tensor, halved_BCHW: Tensor) -> Tensor:
        pyramid = [halved_BCHW]
        for _ in self.plain.enhancers[1:]:
            pyramid.append(self.plain.halve(pyramid[-1]))
        features = self.plain.trunk(pyramid.pop())
        *coarser, finest = self.plain.enhancers
        for enhancer in coarser:
            features = enhancer(pyramid.pop(), features)
        assert isinstance(finest, LocalEnhancer)
        image: Tensor = self.plain.head(finest.back(finest.front[1:](fine) + features)).float()
        return image

    def _stem(self, labels_BHW: Tensor, rest_BCHW: Tensor) -> Tensor:
        out = self.lookup(labels_BHW)
        if rest_BCHW.shape[1]:
            border = [self.rest.shape[2] // 2] * 4
            out = out + F.conv2d(F.pad(rest_BCHW, border, mode="reflect"), self.rest)
        if self.bias is not None:
            out = out + self.bias
        activated: Tensor = self._finest_stem()[1:](out)
        return activated

    def _rest_channels(self, edges_B1HW: Tensor, style: Tensor | None) -> Tensor:
        batch, _, height, width = edges_B1HW.shape
        parts = [edges_B1HW] if self.instance_edges else []
        if self.style_dim:
            parts.append(edges_B1HW.new_zeros(batch, self.style_dim, height, width) if style is None else style)
        rest = torch.cat(parts, 1) if parts else edges_B1HW[:, :0]
        return rest.contiguous(memory_format=torch.channels_last)

    def _finest_stem(self) -> nn.Sequential:
        if self.plain.enhancers:
            finest = self.plain.enhancers[-1]
            assert isinstance(finest, LocalEnhancer)
            stem = finest.front[0]
        else:
            stem = self.plain.trunk[0]
        assert isinstance(stem, nn.Sequential)
        return stem


def _drop_cancelled_biases(module: nn.Module) -> None:
    """A bias right before instance norm shifts what the norm shifts back; over a whole layer it would not."""
    for sequence in module.modules():
        if isinstance(sequence, nn.Sequential):
            for layer, following in pairwise(sequence.children()):
                if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) or not isinstance(following, InstanceNorm):
                    continue
                if following.groups == layer.out_channels:
                    layer.bias = None
