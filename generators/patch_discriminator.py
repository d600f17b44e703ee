"""The multi-scale 70 x 70 PatchGAN of pix2pixHD and SPADE."""

from typing import Literal

from torch import Tensor, nn

from generators.blocks import LEAKY_SLOPE, halve, instance_norm
from generators.spectral_norm import spectral

PatchNorm = Literal["instance", "spectral_instance"]

_WIDEST = 8  # times the base width


class PatchDiscriminator(nn.Module):
    """One scale: strided units, one at stride 1, the score map. Kernels 4 with padding 2, so sizes grow by one."""

    def __init__(self, in_channels: int, base_channels: int, num_downsamplings: int, norm: PatchNorm) -> None:
        super().__init__()
        first = nn.Conv2d(in_channels, base_channels, 4, stride=2, padding=2)
        units = [nn.Sequential(first, nn.LeakyReLU(LEAKY_SLOPE, inplace=True))]
        width = base_channels
        for step in range(num_downsamplings):
            wider = min(width * 2, base_channels * _WIDEST)
            units.append(_unit(width, wider, 2 if step < num_downsamplings - 1 else 1, norm))
            width = wider
        units.append(nn.Sequential(nn.Conv2d(width, 1, 4, padding=2)))
        self.units = nn.ModuleList(units)

    def forward(self, x_BCHW: Tensor) -> list[Tensor]:
        """Every intermediate map, then the score map."""
        maps: list[Tensor] = []
        for unit in self.units:
            x_BCHW = unit(x_BCHW)
            maps.append(x_BCHW)
        return maps


class MultiScaleDiscriminator(nn.Module):
    """The same PatchGAN on an image pyramid, each scale with its own weights; scale 0 is full resolution."""

    def __init__(
        self,
        in_channels: int,
        base_channels: int = 64,
        num_scales: int = 2,
        num_downsamplings: int = 3,
        norm: PatchNorm = "instance",
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(in_channels, base_channels, num_downsamplings, norm) for _ in range(num_scales)
        )
        self.halve = halve()

    def forward(self, x_BCHW: Tensor) -> list[list[Tensor]]:
        """Maps of every scale; the last map of each is its score."""
        maps: list[list[Tensor]] = []
        for index, scale in enumerate(self.scales):
            if index:
                x_BCHW = self.halve(x_BCHW)
            maps.append(scale(x_BCHW))
        return maps

    def inherit(self, coarser: "MultiScaleDiscriminator") -> None:
        """Take another's scales as the coarsest ones here: trained at half the resolution, they keep their scale."""
        if len(coarser.scales) > len(self.scales):
            raise ValueError(f"{len(coarser.scales)} discriminator scales do not fit into {len(self.scales)}")
        first = len(self.scales) - len(coarser.scales)
        for own, other in zip(self.scales[first:], coarser.scales, strict=True):
            own.load_state_dict(other.state_dict())


def _unit(in_channels: int, out_channels: int, stride: int, norm: PatchNorm) -> nn.Sequential:
    # Under SPADE's spectral norm the bias, which instance norm would cancel anyway, is left out.
    conv = nn.Conv2d(in_channels, out_channels, 4, stride=stride, padding=2, bias=norm == "instance")
    if norm == "spectral_instance":
        conv = spectral(conv)
    return nn.Sequential(conv, instance_norm(out_channels), nn.LeakyReLU(LEAKY_SLOPE, inplace=True))
