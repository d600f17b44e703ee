"""The learning rate: constant, then straight down to zero."""

from torch.optim import Optimizer


class LinearDecay:
    """Multiplies the rates an optimiser began with: 1 up to `constant_steps`, then linearly to 0 after `steps`."""

    def __init__(self, optimizer: Optimizer, steps: int, decay_share: float) -> None:
        self._optimizer = optimizer
        self._first_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._steps, self._decay_steps = steps, round(steps * decay_share)

    def factor(self, step: int) -> float:
        """The factor during this step, counted from 0."""
        left = self._steps - step
        # The last step still learns: n decaying steps run at n/n, ..., 1/n, as "100 + 100 epochs" does.
        return 1.0 if left > self._decay_steps or self._decay_steps == 0 else left / self._decay_steps

    def apply(self, step: int) -> None:
        """Set the rates for this step."""
        for group, rate in zip(self._optimizer.param_groups, self._first_rates, strict=True):
            group["lr"] = rate * self.factor(step)
