"""The global generator G1 and the local enhancers on top of it."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from generators.blocks import ResidualBlock, down, halve, normalise_over_layer, stem, tanh_head, up
from generators.conditioning import check_channels, edge_map, one_hot
from generators.family import Generator, LabelSpace
from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.style import StyleKind


class GlobalTrunk(nn.Sequential):
    """G1 without its head: stem, downsamplings, residual blocks at the smallest size, upsamplings.

    With skips each upsampling's output is added to the features of its size on the way down.
    """

    def __init__(
        self,
        in_channels: int,
        base_channels: int,
        num_downsamplings: int,
        num_blocks: int,
        skips: bool = False,
        resize: bool = False,
    ) -> None:
        widths = [base_channels * 2**step for step in range(num_downsamplings + 1)]
        downs = [down(narrow, wide) for narrow, wide in pairwise(widths)]
        blocks = [ResidualBlock(widths[-1]) for _ in range(num_blocks)]
        ups = [up(wide, narrow, resize) for narrow, wide in reversed(list(pairwise(widths)))]
        super().__init__(stem(in_channels, base_channels), *downs, *blocks, *ups)
        self.num_downsamplings = num_downsamplings
        self.skips = skips

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.after_stem(self[0](x_BCHW))

    def after_stem(self, x_BCHW: Tensor) -> Tensor:
        """Everything but the first unit, whose output this takes."""
        first_up = len(self) - self.num_downsamplings
        passed = []
        for number, unit in enumerate(self):
            if 1 <= number <= self.num_downsamplings:
                passed.append(x_BCHW)
            if number > 0:
                x_BCHW = unit(x_BCHW)
            if self.skips and number >= first_up:
                x_BCHW = x_BCHW + passed.pop()
        return x_BCHW


class LocalEnhancer(nn.Module):
    """Doubles the resolution: a fine front at full size joins the coarser features at half size."""

    def __init__(self, in_channels: int, base_channels: int, num_blocks: int, resize: bool = False) -> None:
        super().__init__()
        self.front = nn.Sequential(stem(in_channels, base_channels), down(base_channels, base_channels * 2))
        self.back = nn.Sequential(
            *(ResidualBlock(base_channels * 2) for _ in range(num_blocks)), up(base_channels * 2, base_channels, resize)
        )

    def forward(self, fine_BCHW: Tensor, coarse_BCHW: Tensor) -> Tensor:
        out: Tensor = self.back(self.front(fine_BCHW) + coarse_BCHW)
        return out


class Pix2PixHDGenerator(Generator):
    """G1 alone, or G1 under one or more enhancers; the finest of them has the RGB head."""

    style_kind: StyleKind

    def __init__(self, config: Pix2PixHDConfig, space: LabelSpace) -> None:
        super().__init__()
        self.style_dim = config.feature_channels
        self.style_kind = StyleKind.INSTANCE if self.style_dim else StyleKind.NONE
        self.stride = 2 ** (config.num_downsamplings + config.num_enhancers)
        self.num_channels = space.num_channels
        self.sketch = config.condition == "sketch"
        self.instance_edges = config.instance_edges
        in_channels = config.condition_channels(space) + self.style_dim
        base = config.base_channels
        if base % 2**config.num_enhancers:
            raise ValueError(f"base_channels {base} cannot be halved {config.num_enhancers} times")
        resize = config.upsampling == "resize"
        self.trunk = GlobalTrunk(in_channels, base, config.num_downsamplings, config.num_blocks, config.skips, resize)
        widths = [base // 2**step for step in range(1, config.num_enhancers + 1)]
        self.enhancers = nn.ModuleList(
            LocalEnhancer(in_channels, width, config.num_enhancer_blocks, resize) for width in widths
        )
        self.halve = halve()
        self.head = tanh_head(widths[-1] if widths else base)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """One-hot labels (or the sketch, scaled to 0..1), then instance edges."""
        parts = [self._sketch(labels_BHW) if self.sketch else one_hot(labels_BHW, self.num_channels)]
        if self.instance_edges:
            parts.append(edge_map(instances_BHW))
        return torch.cat(parts, 1)

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        x_BCHW = condition
        if self.style_dim:
            if style is None:
                style = condition.new_zeros(len(condition), self.style_dim, *condition.shape[2:])
            x_BCHW = torch.cat([condition, style.to(condition.dtype)], 1)
        pyramid = [x_BCHW]
        for _ in self.enhancers:
            pyramid.append(self.halve(pyramid[-1]))
        features = self.trunk(pyramid.pop())
        for enhancer in self.enhancers:
            features = enhancer(pyramid.pop(), features)
        image: Tensor = self.head(features).float()
        return image

    def for_inference(self, device: torch.device) -> Generator:
        if self.sketch:
            return super().for_inference(device)
        if device.type != "cpu":
            # Matrix units multiply by zeros faster than they look up.
            from generators.pix2pixhd.fused import FusedPix2PixHD

            return FusedPix2PixHD(self)
        from generators.pix2pixhd.inference import LookupPix2PixHD

        return LookupPix2PixHD(self)

    def inherit(self, coarser: "Pix2PixHDGenerator") -> None:
        """Take the trunk and the enhancers of a coarser generator; heads differ in width and start fresh."""
        if len(coarser.enhancers) >= len(self.enhancers):
            raise ValueError(
                f"a generator of {len(coarser.enhancers)} enhancers is not coarser than one of {len(self.enhancers)}"
            )
        self.trunk.load_state_dict(coarser.trunk.state_dict())
        for own, other in zip(self.enhancers, coarser.enhancers, strict=False):
            own.load_state_dict(other.state_dict())

    def freeze_coarse(self, frozen: bool) -> None:
        """Train only the finest enhancer and the head (the first epochs of a new enhancer), or everything again."""
        if not self.enhancers:
            raise ValueError("a global generator has no coarser part to freeze; set num_enhancers")
        for module in (self.trunk, *self.enhancers[:-1]):
            module.requires_grad_(not frozen)

    def _sketch(self, labels_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        return (labels_BHW.float() / max(1, self.num_channels - 1)).unsqueeze(1)


def build_generator(config: Pix2PixHDConfig, space: LabelSpace) -> Pix2PixHDGenerator:
    generator = Pix2PixHDGenerator(config, space)
    if config.norm == "layer":
        normalise_over_layer(generator)
    return generator
