"""CUDA graphs: a pass through the network recorded once for its sizes, then launched as one."""

from collections.abc import Callable

import torch
from torch import Tensor

Forward = Callable[[Tensor, Tensor | None], Tensor]
Sizes = tuple[torch.Size, torch.Size | None]

_WARM_UPS = 3  # libraries choose their kernels in the first passes, which must not be recorded
_MOST_SIZES = 4  # each holds the memory of a whole pass


class Graphed:
    """`forward(condition, style)` replayed from a recording of the same sizes. The image is overwritten by the next."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._recorded: dict[Sizes, tuple[torch.cuda.CUDAGraph, Tensor, Tensor | None, Tensor]] = {}

    def __call__(self, condition: Tensor, style: Tensor | None) -> Tensor:
        sizes = (condition.shape, None if style is None else style.shape)
        if sizes not in self._recorded:
            if len(self._recorded) == _MOST_SIZES:
                del self._recorded[next(iter(self._recorded))]
            self._recorded[sizes] = self._record(condition, style)
        graph, static_condition, static_style, image = self._recorded[sizes]
        static_condition.copy_(condition)
        if static_style is not None and style is not None:
            static_style.copy_(style)
        graph.replay()
        return image

    def _record(
        self, condition: Tensor, style: Tensor | None
    ) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor | None, Tensor]:
        condition = condition.clone()
        style = None if style is None else style.clone()
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UPS):
                self._forward(condition, style)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            image = self._forward(condition, style)
        return graph, condition, style, image
