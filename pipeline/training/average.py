"""An exponential moving average of the generator: smoother images than the last step's weights give."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class MovingAverage:
    """Follows a module's parameters; buffers (running statistics) are copied."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._module, self._decay = module, decay
        self._mean = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        self._parameters = {name for name, _ in module.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take one step's weights in; early steps count more, or the random start would linger."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, tensor in self._module.state_dict().items():
            if name in self._parameters:
                self._mean[name].lerp_(tensor, 1 - decay)
            else:
                self._mean[name].copy_(tensor)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged weights, as the module's own state."""
        return self._mean

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from saved averages."""
        for name, tensor in state.items():
            self._mean[name].copy_(tensor)
