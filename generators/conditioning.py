"""From label and instance maps to what networks take: one-hot channels, edges, values per instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_LEAST_RUN = 8  # pixels, on average, for sums over runs to be the faster way
_CHECKED: ContextVar[bool] = ContextVar("labels were checked before they went to the device", default=False)


@contextmanager
def labels_checked() -> Iterator[None]:
    """Inside, labels are known to be channels: looking at them on a GPU would wait for all that it still has to do."""
    token = _CHECKED.set(True)
    try:
        yield
    finally:
        _CHECKED.reset(token)


def check_channels(labels_BHW: Tensor, num_channels: int) -> None:
    """Raise ValueError when a label is no channel; unchecked, a GPU answers with an opaque device assert."""
    if torch.compiler.is_compiling() or labels_BHW.is_meta or _CHECKED.get():
        return  # a traced program cannot branch on values; whoever runs it answers for its labels
    low, high = (int(value) for value in torch.aminmax(labels_BHW))
    check_range(low, high, num_channels)


def check_range(low: int, high: int, num_channels: int) -> None:
    """Raise ValueError when not all labels from `low` to `high` are channels."""
    if low < 0 or high >= num_channels:
        worst = low if low < 0 else high
        raise ValueError(
            f"label channel {worst} is outside 0..{num_channels - 1}; labels must be catalog channels, not class ids"
        )


def one_hot(labels_BHW: Tensor, num_channels: int) -> Tensor:
    """B x num_channels x H x W, float32, laid out channels last: each pixel's channels are written together."""
    check_channels(labels_BHW, num_channels)
    batch, height, width = labels_BHW.shape
    onehot_BHWC = torch.zeros(batch, height, width, num_channels, device=labels_BHW.device)
    return onehot_BHWC.scatter_(3, labels_BHW.long().unsqueeze(3), 1.0).permute(0, 3, 1, 2)


def edge_map(instances_BHW: Tensor) -> Tensor:
    """B x 1 x H x W, 1.0 where an existing 4-neighbour belongs to another instance, on both sides of the border."""
    edges = torch.zeros_like(instances_BHW, dtype=torch.bool)
    across = instances_BHW[:, :, 1:] != instances_BHW[:, :, :-1]
    edges[:, :, 1:] |= across
    edges[:, :, :-1] |= across
    down = instances_BHW[:, 1:] != instances_BHW[:, :-1]
    edges[:, 1:] |= down
    edges[:, :-1] |= down
    return edges.unsqueeze(1).float()


def labels_and_edges(labels_BHW: Tensor, instances_BHW: Tensor, num_channels: int, edges: bool) -> Tensor:
    """B x 2 x H x W: label channels, and instance edges or zeros; what forms take that look labels up themselves."""
    check_channels(labels_BHW, num_channels)
    labels_B1HW = labels_BHW.unsqueeze(1).float()
    return torch.cat([labels_B1HW, edge_map(instances_BHW) if edges else torch.zeros_like(labels_B1HW)], dim=1)


def instance_mean(features_BCHW: Tensor, instances_BHW: Tensor) -> Tensor:
    """Each channel replaced by its mean over its instance, image by image; gradients flow through the mean."""
    if instances_BHW.shape != (features_BCHW.shape[0], *features_BCHW.shape[2:]):
        raise ValueError(
            f"features {tuple(features_BCHW.shape)} and instances {tuple(instances_BHW.shape)} differ in size"
        )
    runs = _Runs.of(instances_BHW) if instances_BHW.is_cpu and not torch.compiler.is_compiling() else None
    if runs is not None:
        return _run_mean(features_BCHW, runs)
    slots, num_slots = _slots(instances_BHW)
    return _slot_mean(features_BCHW, slots, num_slots)


def paint(ids: Tensor, vectors: Tensor, instances_HW: Tensor) -> Tensor:
    """D x H x W: every pixel gets the vector of its instance, zeros where its instance is not listed."""
    dim = vectors.shape[1]
    if len(ids) == 0:
        return vectors.new_zeros(dim, *instances_HW.shape)
    ids_sorted, order = ids.to(instances_HW.dtype).sort()
    rank = torch.searchsorted(ids_sorted, instances_HW.contiguous()).clamp_(max=len(ids) - 1)
    listed = ids_sorted[rank] == instances_HW
    # Row 0 is the zero vector of the instances that are not listed.
    table = torch.cat([vectors.new_zeros(1, dim), vectors[order]])
    return table.t()[:, torch.where(listed, rank + 1, 0)]


class _SlotMean(torch.autograd.Function):
    """The mean over a slot, at every pixel of it. As a matrix it is symmetric, so backward is the same averaging."""

    @staticmethod
    def forward(ctx: Any, features_BCHW: Tensor, slots_N: Tensor, num_slots: int) -> Tensor:
        ctx.save_for_backward(slots_N)
        ctx.num_slots = num_slots
        batch, channels, height, width = features_BCHW.shape
        features_CN = features_BCHW.transpose(0, 1).reshape(channels, -1).float()
        count = torch.bincount(slots_N, minlength=num_slots).clamp_(min=1)
        mean_CN = torch.empty_like(features_CN)
        # Channel by channel: one row of sums stays in the cache.
        for features_N, mean_N in zip(features_CN, mean_CN, strict=True):
            sums = features_N.new_zeros(num_slots).scatter_add_(0, slots_N, features_N)
            torch.index_select(sums.div_(count), 0, slots_N, out=mean_N)
        mean_BCHW = mean_CN.view(channels, batch, height, width).transpose(0, 1)
        return mean_BCHW.to(features_BCHW.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slots_N,) = ctx.saved_tensors
        return _slot_mean(grads[0], slots_N, ctx.num_slots), None, None


def _slot_mean(features_BCHW: Tensor, slots_N: Tensor, num_slots: int) -> Tensor:
    # torch leaves Function.apply untyped.
    return _SlotMean.apply(features_BCHW, slots_N, num_slots)  # type: ignore[no-untyped-call]


class _Runs(NamedTuple):
    """Maps as runs of one instance each, in the order of pixels: on a processor sums over runs take half the time."""

    starts: npt.NDArray[np.intp]
    lengths: npt.NDArray[np.intp]
    slots: npt.NDArray[np.intp]  # a number for each (image, instance)
    num_slots: int

    @classmethod
    def of(cls, instances_BHW: Tensor) -> "_Runs | None":
        """None where instances change from pixel to pixel."""
        batch, flat = len(instances_BHW), instances_BHW.numpy().reshape(-1)
        begins = np.ones(len(flat), np.bool_)
        np.not_equal(flat[1:], flat[:-1], out=begins[1:])
        begins[:: max(1, len(flat) // max(1, batch))] = True  # no run goes on into the next image
        starts = np.flatnonzero(begins)
        if len(starts) * _LEAST_RUN > len(flat):
            return None
        ids, numbers = np.unique(flat[starts], return_inverse=True)
        slots = starts // (len(flat) // batch) * len(ids) + numbers
        return cls(starts, np.diff(starts, append=len(flat)), slots, batch * len(ids))

    def mean(self, features_BCHW: Tensor) -> Tensor:
        """Each channel replaced by its mean over its instance."""
        batch, channels, height, width = features_BCHW.shape
        features_CN = features_BCHW.detach().transpose(0, 1).reshape(channels, -1).float().numpy()
        mean_CN = np.empty_like(features_CN)
        count = np.maximum(np.bincount(self.slots, self.lengths, self.num_slots), 1)
        for features_N, mean_N in zip(features_CN, mean_CN, strict=True):
            sums = np.bincount(self.slots, np.add.reduceat(features_N, self.starts), self.num_slots)
            mean_N[:] = np.repeat((sums / count).astype(np.float32)[self.slots], self.lengths)
        mean_BCHW = torch.from_numpy(mean_CN).view(channels, batch, height, width).transpose(0, 1)
        return mean_BCHW.to(features_BCHW.dtype)


class _RunMean(torch.autograd.Function):
    """The mean over runs; backward is the same averaging, as for slots."""

    @staticmethod
    def forward(ctx: Any, features_BCHW: Tensor, runs: _Runs) -> Tensor:
        ctx.runs = runs
        return runs.mean(features_BCHW)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return _run_mean(grads[0], ctx.runs), None


def _run_mean(features_BCHW: Tensor, runs: _Runs) -> Tensor:
    return _RunMean.apply(features_BCHW, runs)  # type: ignore[no-untyped-call]


def _slots(instances_BHW: Tensor) -> tuple[Tensor, int]:
    """A slot for each (image, instance): flat int64 indices and how many slots there are at most."""
    batch = len(instances_BHW)
    low, high = (int(value) for value in torch.aminmax(instances_BHW))
    span = high - low + 1
    if batch * span > instances_BHW.numel():
        # Ids spread wider than there are pixels: rank them first, which needs a sort.
        ids, ranks = torch.unique(instances_BHW, return_inverse=True)
        low, span, instances_BHW = 0, len(ids), ranks
    image_BHW = torch.arange(batch, device=instances_BHW.device).view(-1, 1, 1)
    slots = (instances_BHW.long() - low) + image_BHW * span
    return slots.flatten(), batch * span
