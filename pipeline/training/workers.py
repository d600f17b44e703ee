"""What workers of one training do together: start alike, average gradients, agree on what went wrong."""

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Group:
    """All workers of a training. A lone worker does nothing here."""

    def __init__(self, rank: int = 0, world_size: int = 1) -> None:
        self.rank, self.world_size = rank, world_size

    def start_alike(self, module: nn.Module) -> None:
        """Everybody takes rank 0's weights."""
        if self.world_size > 1:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, 0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """One all-reduce over all gradients as one tensor: a GAN's turns use other parameters each time, which
        wrappers that follow the graph have to be told of; a plain mean has not."""
        if self.world_size == 1:
            return
        parameters = [p for p in parameters if p.requires_grad]
        for p in parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(flat)
        flat /= self.world_size
        parts = torch.split(flat, [grad.numel() for grad in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether the flag is up on any worker."""
        if self.world_size == 1:
            return flag
        votes = torch.tensor([int(flag)], device=device)
        dist.all_reduce(votes)
        return bool(votes.item())

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the workers."""
        if self.world_size > 1:
            dist.all_reduce(values)
            values /= self.world_size
        return values
