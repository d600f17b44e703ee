"""A few scenes of a source, where all of them would take too long: the first ones would come from one drive."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def spread(all_of_them: Sequence[T], most: int | None) -> list[T]:
    """At most so many, evenly from the first to the last."""
    if most is None or most >= len(all_of_them):
        return list(all_of_them)
    return [all_of_them[k] for k in np.linspace(0, len(all_of_them) - 1, most).astype(int).tolist()]
