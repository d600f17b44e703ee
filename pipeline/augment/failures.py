"""How much failure a run bears."""

from dataclasses import dataclass
from typing import Any

from pipeline.recipe import OnError


@dataclass(frozen=True)
class FailureLimit:
    """So many samples may fail in all; the next one ends the run."""

    most: int
    policy: str
    fraction: float

    @classmethod
    def of(cls, on_error: OnError, num_samples: int) -> "FailureLimit":
        """A run that bears any failure bears at least one, however small it is."""
        if on_error.policy == "fail" or on_error.max_fraction == 0:
            return cls(0, on_error.policy, on_error.max_fraction)
        return cls(max(1, int(on_error.max_fraction * num_samples)), on_error.policy, on_error.max_fraction)

    def exceeded(self, failed: int) -> bool:
        return failed > self.most

    def message(self, failed: int, examples: list[dict[str, Any]]) -> str:
        """What failed and what to do, over several lines; the first one stands alone."""
        if self.policy == "fail":
            first = f"{failed} samples failed, and the recipe says on_error.policy: fail"
        else:
            bears = f"the {self.most} that on_error.max_fraction {self.fraction:g} bears"
            first = f"{failed} samples failed, more than {bears}"
        shown = [f"  {e['source_key']}: {e['stage']}: {e['reason']}" for e in examples]
        return "\n".join([f"{first}; repair or leave out these scenes of the source:", *shown])
