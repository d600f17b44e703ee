"""How different the images of one label map look: a distance built like LPIPS, in the features of the judge."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F

from pipeline.evaluation.judge import Judge
from pipeline.sources.base import Image


def diversity_segmenter(judge: Judge, images: Sequence[Image]) -> float:
    """Mean distance over pairs of images: as LPIPS, but of the judge's levels and with every channel alike.

    Zhang et al. 2018, equation 1 with w = 1: unit vectors at every place, squared differences, averaged over places.
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} image; diversity needs at least 2 of one label map")
    levels = [F.normalize(level, dim=1) for level in judge.features(np.stack(images))]
    pairs = list(combinations(range(len(images)), 2))
    each = [(level[a] - level[b]).square().sum(0).mean() for level in levels for a, b in pairs]
    return float(torch.stack(each).mean() * len(levels))
