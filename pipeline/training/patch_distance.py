"""How far renderings are from photographs, without any pretrained network: what the best model is chosen by.

The sliced Wasserstein distance between patches of Laplacian pyramids (Karras et al., ICLR 2018), class by class:
patches of roads are compared with patches of roads. The losses of two players say how their game stands, not how good
images are.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

_LEVELS = 3
_SIDE_PX = 5
_DIRECTIONS = 64
_MOST_PATCHES = 1024  # of a class and level
_FEWEST_PATCHES = 16


def patch_distance(fakes_BCHW: Tensor, reals_BCHW: Tensor, labels_BHW: Tensor) -> float:
    """0 when renderings are the photographs; 1 when they are as far off as real patches spread. Mean over classes.

    The same number for the same images, on any machine.
    """
    generator = torch.Generator().manual_seed(0)
    directions = F.normalize(torch.randn(3 * _SIDE_PX**2, _DIRECTIONS, generator=generator), dim=0)
    fake_bands, real_bands = _pyramid(fakes_BCHW.cpu().float()), _pyramid(reals_BCHW.cpu().float())
    by_level = []
    for level, (fake, real) in enumerate(zip(fake_bands, real_bands, strict=True)):
        labels = labels_BHW.cpu()[:, :: 2**level, :: 2**level]
        classes = list(_places_of_classes(labels, generator))
        seen = [(_patches(fake, places) @ directions, _patches(real, places) @ directions) for places in classes]
        spread = torch.cat([reals for _, reals in seen]).std().clamp(min=1e-6)
        by_level.append(torch.stack([_wasserstein(*both) for both in seen]).mean() / spread)
    return float(torch.stack(by_level).mean())


def _pyramid(images_BCHW: Tensor) -> list[Tensor]:
    """Bands fine to coarse, the last one what is left."""
    bands = []
    for _ in range(_LEVELS - 1):
        smaller = F.avg_pool2d(images_BCHW, 2, ceil_mode=True)
        size = (images_BCHW.shape[2], images_BCHW.shape[3])
        bands.append(images_BCHW - F.interpolate(smaller, size=size, mode="bilinear", align_corners=False))
        images_BCHW = smaller
    return [*bands, images_BCHW]


def _places_of_classes(labels_BHW: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """For every class some of its pixels, as places in the flattened batch."""
    flat = labels_BHW.reshape(-1)
    of_classes = [(flat == channel).nonzero().squeeze(1) for channel in torch.unique(flat)]
    # Where no class is large enough to tell, everything is one.
    for places in [p for p in of_classes if len(p) >= _FEWEST_PATCHES] or [torch.arange(len(flat))]:
        yield places[torch.randperm(len(places), generator=generator)[:_MOST_PATCHES]]


def _patches(band_BCHW: Tensor, places_N: Tensor) -> Tensor:
    """What surrounds each place, a row a place."""
    height, width = band_BCHW.shape[2:]
    image, row, column = places_N // (height * width), places_N // width % height, places_N % width
    offsets = torch.arange(_SIDE_PX)
    padded = F.pad(band_BCHW, [_SIDE_PX // 2] * 4, mode="replicate").permute(0, 2, 3, 1)
    rows, columns = row[:, None, None] + offsets[:, None], column[:, None, None] + offsets
    return padded[image[:, None, None], rows, columns].flatten(1)


def _wasserstein(left_ND: Tensor, right_ND: Tensor) -> Tensor:
    """The mean over directions of the distance between two clouds of as many points."""
    return (left_ND.sort(dim=0).values - right_ND.sort(dim=0).values).abs().mean()
