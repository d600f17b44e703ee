"""Label and instance maps as the renderer takes them, and images as it gives them."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from generators.style import Style

Labels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Instances = npt.NDArray[np.int32]
A = TypeVar("A", bound=np.generic)

# Reflection padding at the smallest size needs two pixels a side.
_MIN_CELLS = 2


def check_sizes(labels: Labels, instances: Instances | None, styles: Sequence[Style | None]) -> None:
    """Raise ValueError unless there is an instance map and a style for every label map."""
    if labels.ndim != 3 or labels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"labels are {labels.dtype} of shape {labels.shape}; expected uint8 or uint16, B x H x W")
    if instances is not None and (instances.shape != labels.shape or instances.dtype != np.int32):
        raise ValueError(f"instances are {instances.dtype} of shape {instances.shape}; expected int32 {labels.shape}")
    if len(styles) != len(labels):
        raise ValueError(f"{len(styles)} styles for {len(labels)} label maps")


def same_maps(labels: Labels, instances: Instances) -> list[list[int]]:
    """Indices of scenes by equal maps, in the order of their first."""
    groups: dict[bytes, list[list[int]]] = {}
    found: list[list[int]] = []
    for index in range(len(labels)):
        # A few pixels tell most apart; those they do not are compared whole.
        alike = groups.setdefault(labels[index, ::16, ::16].tobytes(), [])
        for group in alike:
            first = group[0]
            if np.array_equal(labels[first], labels[index]) and np.array_equal(instances[first], instances[index]):
                group.append(index)
                break
        else:
            alike.append([index])
            found.append(alike[-1])
    return found


def pad_to_stride(array: npt.NDArray[A], stride: int) -> npt.NDArray[A]:
    """Border pixels repeated to the right and below until both sides are multiples of the stride."""
    height, width = (max(_MIN_CELLS, -(-side // stride)) * stride for side in array.shape[1:])
    if (height, width) == array.shape[1:]:
        return array
    return np.pad(array, ((0, 0), (0, height - array.shape[1]), (0, width - array.shape[2])), mode="edge")


def to_bytes(image_BCHW: Tensor) -> Tensor:
    """B x 3 x H x W in [-1, 1] to bytes, B x H x W x 3, where the image lies."""
    return image_BCHW.float().mul(127.5).add_(127.5).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
