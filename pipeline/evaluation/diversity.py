"""How different the images of one label map look: a distance built like LPIPS, in the features of the judge."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.evaluation.judge import Judge
from pipeline.sources.base import Image


def diversity_segmenter(judge: Judge, images: Sequence[Image]) -> float:
    """Mean distance over pairs of images: as LPIPS, but of the judge's levels and with every channel alike.

    Zhang et al. 2018, equation 1 with w = 1: unit vectors at every place, squared differences, averaged over places.
    """
    return diversity_of_levels(judge.features(np.stack(images)))


def diversity_of_levels(levels_BCHW: Sequence[Tensor]) -> float:
    """The same of what the judge saw in the images, fine to coarse."""
    num_images = len(levels_BCHW[0])
    if num_images < 2:
        raise ValueError(f"{num_images} image; diversity needs at least 2 of one label map")
    units = [F.normalize(level, dim=1) for level in levels_BCHW]
    pairs = list(combinations(range(num_images), 2))
    each = [(unit[a] - unit[b]).square().sum(0).mean() for unit in units for a, b in pairs]
    return float(torch.stack(each).mean() * len(units))
