"""What published networks see, on weights that the user supplies: Inception for FID and KID, AlexNet for LPIPS.

Their numbers carry their names, and are there only with their weights: never the judge's under theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
import torchmetrics.functional.image.lpips as torchmetrics_lpips
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from pipeline.errors import InputError
from pipeline.sources.base import Image

AUTO = "auto"
_INCEPTION_WIDTH = 2048
# Zhang et al. 2018: images in [-1, 1] brought to ImageNet's means and spreads.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)


@dataclass(frozen=True)
class InceptionFeatures:
    """What FID and KID as published see: an image as one vector."""

    network: nn.Module

    def on(self, device: torch.device) -> "InceptionFeatures":
        """The same network there."""
        return InceptionFeatures(self.network.to(device))

    @torch.inference_mode()
    def vectors(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Of images of one size, B x H x W x 3; on the CPU."""
        device = next((weight.device for weight in self.network.parameters()), torch.device("cpu"))
        found: Tensor = self.network(torch.from_numpy(images).permute(0, 3, 1, 2).to(device))
        return found.cpu()


def open_inception(weights: str | None) -> InceptionFeatures | None:
    """Inception v3 as FID has it, with the weights of this file or, `auto`, those that torch-fidelity fetches."""
    if weights is None:
        return None
    if weights != AUTO and not Path(weights).is_file():
        raise InputError(f"{weights}: no such file; expected Inception weights (pt_inception-2015-12-05), or {AUTO}")
    try:
        # The metric brings the network; both distances are computed by ours from its vectors.
        metric = FrechetInceptionDistance(
            _INCEPTION_WIDTH, feature_extractor_weights_path=None if weights == AUTO else weights
        )
    except ModuleNotFoundError:
        raise InputError("fid_inception needs the package torch-fidelity: pip install 'synthgen[fid]'") from None
    except (RuntimeError, KeyError, ValueError, OSError, UnpicklingError) as error:
        raise InputError(f"{weights}: not the Inception weights of FID: {str(error).splitlines()[0]}") from None
    return InceptionFeatures(metric.inception)


class Lpips(nn.Module):
    """LPIPS 0.1 of AlexNet (Zhang et al. 2018); the weights of its levels come with torchmetrics."""

    _shift: Tensor
    _scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        relu = nn.ReLU()
        self.features = nn.ModuleList([
            nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), relu),
            nn.Sequential(nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), relu),
            nn.Sequential(nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), relu),
            nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), relu),
            nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), relu),
        ])  # fmt: skip
        heads = torch.load(
            Path(torchmetrics_lpips.__file__).parent / "lpips_models" / "alex.pth",
            map_location="cpu",
            weights_only=True,
        )
        self.heads = [heads[f"lin{level}.model.1.weight"] for level in range(len(self.features))]
        self.register_buffer("_shift", torch.tensor(_SHIFT)[:, None, None])
        self.register_buffer("_scale", torch.tensor(_SCALE)[:, None, None])

    @torch.inference_mode()
    def diversity(self, images: Sequence[Image]) -> float:
        """Mean LPIPS over the pairs of images of one label map."""
        x_BCHW = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
        x_BCHW = (x_BCHW - self._shift) / self._scale
        pairs = list(combinations(range(len(images)), 2))
        total = torch.zeros(len(pairs))
        for level, head in zip(self.features, self.heads, strict=True):
            x_BCHW = level(x_BCHW)
            # The authors divide by the norm plus a tiny number, as this does.
            unit = x_BCHW / (x_BCHW.square().sum(1, keepdim=True).sqrt() + 1e-10)
            squares = torch.stack([(unit[a] - unit[b]).square() for a, b in pairs])
            total += F.conv2d(squares, head).mean((1, 2, 3))
        return float(total.mean())


def open_lpips(weights: Path | None) -> Lpips | None:
    """LPIPS on these AlexNet weights, the state dict that torchvision publishes; None without any."""
    if weights is None:
        return None
    if not weights.is_file():
        raise InputError(f"{weights}: no such file; expected AlexNet weights (alexnet-owt-7be5be79.pth)")
    try:
        state: Any = torch.load(weights, map_location="cpu", weights_only=True)
        network = Lpips()
        convolutions = [part for level in network.features for part in level.modules() if isinstance(part, nn.Conv2d)]
        for convolution, place in zip(convolutions, (0, 3, 6, 8, 10), strict=True):
            parts = ("weight", "bias")
            convolution.load_state_dict({part: state[f"features.{place}.{part}"] for part in parts})
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{weights}: not the weights of torchvision's AlexNet: {reason}") from None
    return network.eval()
