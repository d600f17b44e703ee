"""The cascaded refinement network: modules at doubling sizes, each of which sees the labels at its own size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import edge_map, one_hot
from generators.crn.config import CrnConfig
from generators.family import Generator, LabelSpace
from generators.style import StyleKind

# By how much the width of each module, coarsest first, is smaller than the base.
_NARROWING = (1, 1, 1, 1, 1, 2, 2, 8, 32)


class RefinementModule(nn.Module):
    """Twice: 3 x 3 convolution without bias, layer norm over the whole image, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (in_channels, out_channels):
            # One group over all channels: the statistics of layer norm with a scale and shift a channel.
            norm = nn.GroupNorm(1, out_channels, eps=1e-12)
            layers += [nn.Conv2d(before, out_channels, 3, padding=1, bias=False), norm, nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out: Tensor = self.layers(x_BCHW)
        return out


class CrnGenerator(Generator):
    """No tanh ends the network: training sees raw values, an image is clipped to its range."""

    style_kind = StyleKind.NONE
    style_dim = 0

    def __init__(self, config: CrnConfig, space: LabelSpace) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.instance_edges = config.instance_edges
        self.condition_channels = space.num_channels + config.instance_edges
        self.num_candidates = config.candidates
        self.stride = 2 ** (config.modules - 1)
        widths = [config.base_channels // narrowing for narrowing in _NARROWING[: config.modules]]
        self.cascade = nn.ModuleList(
            RefinementModule(before + self.condition_channels, after) for before, after in pairwise([0, *widths])
        )
        self.to_rgb = nn.Conv2d(widths[-1], 3 * config.candidates, 1)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        labels_BKHW = one_hot(labels_BHW, self.num_channels)
        return torch.cat([labels_BKHW, edge_map(instances_BHW)], dim=1) if self.instance_edges else labels_BKHW

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        """The first candidate."""
        return self.candidates(condition)[:, 0].clamp(-1, 1)

    def inherit(self, coarser: "CrnGenerator") -> None:
        """Take the modules of a network for smaller images; the last layer has another width and starts fresh."""
        if len(coarser.cascade) >= len(self.cascade):
            raise ValueError(f"{len(coarser.cascade)} modules are not coarser than {len(self.cascade)}")
        for own, other in zip(self.cascade, coarser.cascade, strict=False):
            own.load_state_dict(other.state_dict())

    def freeze_coarse(self, frozen: bool) -> None:
        """Train only the two finest modules and the last layer, or everything again."""
        for module in self.cascade[:-2]:
            module.requires_grad_(not frozen)

    def candidates(self, condition: Tensor) -> Tensor:
        """B x candidates x 3 x H x W."""
        pyramid = [condition]
        for _ in self.cascade[1:]:
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        x_BCHW = self.cascade[0](pyramid.pop())
        for module in self.cascade[1:]:
            labels = pyramid.pop()
            size = (labels.shape[-2], labels.shape[-1])
            doubled = F.interpolate(x_BCHW, size=size, mode="bilinear", align_corners=True)
            x_BCHW = module(torch.cat([doubled, labels], dim=1))
        return self.to_rgb(x_BCHW).float().unflatten(1, (self.num_candidates, 3))
