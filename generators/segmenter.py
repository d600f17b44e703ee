"""Segmentation networks: their interface, one small enough to train in a minute, and how any of them is trained."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.memory_format import channels_last

STRIDE = 16
IGNORED = -100
_LEVELS = (1, 2, 4, 6)  # widths at strides 2, 4, 8, 16, in units of the base width


class SegmentationNetwork(nn.Module, ABC):
    """Images in [-1, 1], whose sides are multiples of STRIDE, to a logit for every label channel."""

    num_channels: int

    @abstractmethod
    def half_size_logits(self, image_BCHW: Tensor) -> Tensor:
        """Logits for every block of 2 x 2 pixels: all that training needs."""

    @abstractmethod
    def features(self, image_BCHW: Tensor) -> list[Tensor]:
        """What the network sees, fine to coarse."""

    def forward(self, image_BCHW: Tensor) -> Tensor:
        """Logits at the size of the image."""
        return F.interpolate(self.half_size_logits(image_BCHW), scale_factor=2, mode="bilinear", align_corners=False)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device


class Segmenter(SegmentationNetwork):
    """A U-Net of residual units at strides 2 to 16, with the mean of the whole image added at the bottom."""

    def __init__(self, num_channels: int, width: int = 24) -> None:
        super().__init__()
        self.num_channels = num_channels
        widths = [width * level for level in _LEVELS]
        self.stem = _unit(3, widths[0], stride=2)
        self.down = nn.ModuleList(_down(narrow, wide) for narrow, wide in pairwise(widths))
        self.context = nn.Linear(widths[-1], widths[-1])
        self.up = nn.ModuleList(_Join(wide, narrow) for wide, narrow in pairwise(reversed(widths)))
        self.classify = nn.Conv2d(widths[0], num_channels, 1)

    def features(self, image_BCHW: Tensor) -> list[Tensor]:
        """The way down: strides 2, 4, 8 and 16."""
        levels = [self.stem(image_BCHW)]
        for down in self.down:
            levels.append(down(levels[-1]))
        return levels

    def half_size_logits(self, image_BCHW: Tensor) -> Tensor:
        """All that is computed; the full size is interpolated."""
        return self.features_and_logits(image_BCHW)[1]

    def features_and_logits(self, image_BCHW: Tensor) -> tuple[list[Tensor], Tensor]:
        """Both `features` and `half_size_logits`, in one pass."""
        features = self.features(image_BCHW)
        skips = list(features)
        x_BCHW = skips.pop()
        x_BCHW = x_BCHW + self.context(x_BCHW.mean((2, 3)))[:, :, None, None]
        for join in self.up:
            x_BCHW = join(x_BCHW, skips.pop())
        return features, self.classify(x_BCHW)


class SegmenterTraining:
    """Cross-entropy with rare classes weighted up, under AdamW and one cycle of the learning rate."""

    def __init__(
        self,
        segmenter: SegmentationNetwork,
        num_steps: int,
        void_channels: Sequence[int] = (),
        learning_rate: float = 4e-3,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.segmenter = channels_last(segmenter.train())
        self._dtype = dtype  # of products and what they make; weights and the loss stay float32
        self._void = torch.tensor(void_channels, dtype=torch.int64)
        self._turn = 0
        # Of pixels by channel, the ignored ones last; on the device, so that no step waits for it.
        self._counts = torch.zeros(segmenter.num_channels + 1, dtype=torch.int64, device=segmenter.device)
        self._optimizer = torch.optim.AdamW(segmenter.parameters(), learning_rate, weight_decay=1e-3, fused=True)
        # One step more than there are: the schedule refuses a single one.
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, learning_rate, total_steps=num_steps + 1)

    def step(self, image_BCHW: Tensor, labels_BHW: Tensor) -> float:
        """One update from images in [-1, 1] and label channels; the loss."""
        # Half-size logits against one pixel of every 2 x 2 block, the four in turn: a step in half the time.
        target_BHW = self._target(labels_BHW)[:, self._turn // 2 :: 2, self._turn % 2 :: 2]
        self._turn = (self._turn + 1) % 4
        weights = self._class_weights(target_BHW)
        with torch.autocast(image_BCHW.device.type, self._dtype, enabled=self._dtype != torch.float32):
            logits = self.segmenter.half_size_logits(image_BCHW.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), target_BHW, weights, ignore_index=IGNORED)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())

    def _target(self, labels_BHW: Tensor) -> Tensor:
        labels_BHW = labels_BHW.long()
        void_BHW = torch.isin(labels_BHW, self._void.to(labels_BHW.device))
        return labels_BHW.masked_fill(void_BHW, IGNORED)

    def _class_weights(self, target_BHW: Tensor) -> Tensor:
        """Inverse square roots of the shares of all pixels seen so far: between equal pixels and equal classes."""
        ignored = len(self._counts) - 1
        channels = target_BHW.masked_fill(target_BHW == IGNORED, ignored).flatten()
        self._counts.scatter_add_(0, channels, torch.ones_like(channels))
        seen = self._counts[:ignored].double()
        return (seen / seen.sum().clamp(min=1)).clamp(min=1e-4).rsqrt().float()


@torch.inference_mode()
def predict(
    segmenter: SegmentationNetwork, images: npt.NDArray[np.uint8], batch_size: int = 8
) -> npt.NDArray[np.uint16]:
    """B x H x W x 3 images to the most likely channel of every pixel."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} of shape {images.shape}; expected uint8, B x H x W x 3")
    labels = np.empty(images.shape[:3], np.uint16)
    for start in range(0, len(images), batch_size):
        some = slice(start, start + batch_size)
        labels[some] = _logits(segmenter, images[some]).argmax(1).cpu().numpy()
    return labels


@torch.inference_mode()
def predict_with_surprise(
    segmenter: SegmentationNetwork, images: npt.NDArray[np.uint8], channels: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
    """`predict`, all in one pass, with the surprise at `channels`: minus the log-probability that each pixel has it."""
    logits = _logits(segmenter, images).float()
    labels_BHW = torch.from_numpy(channels.astype(np.int64)).to(logits.device)
    surprise_BHW = F.cross_entropy(logits, labels_BHW, reduction="none")
    return logits.argmax(1).cpu().numpy().astype(np.uint16), surprise_BHW.cpu().numpy()


def _logits(segmenter: SegmentationNetwork, images: npt.NDArray[np.uint8]) -> Tensor:
    """At the size of the images, without what they were padded by."""
    logits: Tensor = segmenter.eval()(to_network(images).to(segmenter.device))
    return logits[:, :, : images.shape[1], : images.shape[2]]


def to_network(images: npt.NDArray[np.uint8]) -> Tensor:
    """B x H x W x 3 bytes to B x 3 x H x W in [-1, 1], borders repeated to multiples of STRIDE."""
    below, right = (-side % STRIDE for side in images.shape[1:3])
    padded = np.pad(images, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")
    return torch.from_numpy(padded).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def pad_to_stride(x_BCHW: Tensor) -> Tensor:
    """Borders repeated below and right to multiples of STRIDE."""
    height, width = x_BCHW.shape[2:]
    return F.pad(x_BCHW, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _unit(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.relu(x_BCHW + self.second(self.first(x_BCHW)))


class _Join(nn.Module):
    """Coarse features brought to twice the size and joined with the finer ones of the way down."""

    def __init__(self, coarse_channels: int, fine_channels: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse_channels, fine_channels, 1)
        self.merge = _unit(fine_channels, fine_channels)

    def forward(self, coarse_BCHW: Tensor, fine_BCHW: Tensor) -> Tensor:
        up = F.interpolate(self.narrow(coarse_BCHW), scale_factor=2, mode="bilinear", align_corners=False)
        merged: Tensor = self.merge(up + fine_BCHW)
        return merged


def _unit(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(_unit(in_channels, out_channels, stride=2), _Residual(out_channels))
