"""How far two sets of images lie apart in what a network sees: FID and KID, by torchmetrics.

Each is named for the network: `fid_segmenter` sees with the judge, `fid_inception` with published weights.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

_KID_SUBSETS = 50
_KID_SUBSET_SIZE = 50
FEWEST_IMAGES = 4


@dataclass(frozen=True)
class Distances:
    """Distances between two sets of images in the features of one network."""

    network: str  # segmenter or inception
    fid: float
    kid: float
    kid_spread: float
    fid_of_real_halves: float  # the same between one half of the real images and the other: what sampling alone does
    images: tuple[int, int]
    dimensions: int

    def as_data(self) -> dict[str, Any]:
        """Every number under the name of its network."""
        return {
            f"fid_{self.network}": self.fid,
            f"kid_{self.network}": self.kid,
            f"kid_{self.network}_spread": self.kid_spread,
            f"fid_{self.network}_of_real_halves": self.fid_of_real_halves,
            f"fid_{self.network}_images": list(self.images),
            f"fid_{self.network}_dimensions": self.dimensions,
        }


def distances(network: str, reals: Sequence[Tensor], mades: Sequence[Tensor]) -> Distances | None:
    """Distances between real and made images, a vector each; None when there are too few for any."""
    if min(len(reals), len(mades)) < FEWEST_IMAGES:
        return None
    real, made = torch.stack(list(reals)), torch.stack(list(mades))
    kid, spread = _kid(real, made)
    return Distances(
        network=network,
        fid=_fid(real, made),
        kid=kid,
        kid_spread=spread,
        fid_of_real_halves=_fid(real[::2], real[1::2]),
        images=(len(real), len(made)),
        dimensions=int(real.shape[1]),
    )


class _Given(nn.Module):
    """Features that were computed before."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.num_features = dimensions

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors


def _fid(real: Tensor, made: Tensor) -> float:
    fid = FrechetInceptionDistance(_Given(int(real.shape[1]))).set_dtype(torch.float64)
    fid.update(real.double(), real=True)
    fid.update(made.double(), real=False)
    return float(fid.compute())


def _kid(real: Tensor, made: Tensor) -> tuple[float, float]:
    size = min(_KID_SUBSET_SIZE, len(real), len(made))
    with warnings.catch_warnings():
        # It keeps what it is given; a vector an image is little.
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save all")
        kid = KernelInceptionDistance(_Given(int(real.shape[1])), subsets=_KID_SUBSETS, subset_size=size)
    kid.update(real, real=True)
    kid.update(made, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        mean, spread = kid.compute()
    return float(mean), float(spread)
