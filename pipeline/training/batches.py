"""Pairs as tensors, and tensors as pictures."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from generators.family import Batch
from pipeline.sources.base import Image
from pipeline.training.data import TrainingPair


def to_batch(pairs: Sequence[TrainingPair], device: torch.device) -> Batch:
    """One batch on its device; bytes travel, floats are made where they are used."""
    labels = torch.from_numpy(np.stack([pair.labels for pair in pairs]).astype(np.int64))
    instances = torch.from_numpy(np.stack([pair.instances for pair in pairs]))
    images_BHWC = torch.from_numpy(np.stack([pair.image for pair in pairs])).to(device, non_blocking=True)
    # A permuted view of rows of pixels is channels_last already.
    image_BCHW = images_BHWC.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
    return Batch(labels.to(device, non_blocking=True), instances.to(device, non_blocking=True), image_BCHW)


def coarsened(batch: Batch, factor: int) -> Batch:
    """The batch at a fraction of its size: nearest labels and instances, averaged images."""
    return Batch(
        batch.labels_BHW[:, ::factor, ::factor].contiguous(),
        batch.instances_BHW[:, ::factor, ::factor].contiguous(),
        F.avg_pool2d(batch.image_BCHW, factor),
    )


def to_images(image_BCHW: Tensor) -> list[Image]:
    """What the network says, as pixels."""
    bytes_BHWC = image_BCHW.detach().float().add(1.0).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return list(bytes_BHWC.cpu().numpy())
