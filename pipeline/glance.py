"""A few scenes of a source, for what has to be there in seconds."""

from collections.abc import Sequence

import numpy as np


def spread(keys: Sequence[str], count: int) -> list[str]:
    """So many of the keys, evenly over all of them."""
    places = np.linspace(0, len(keys) - 1, min(count, len(keys))).astype(int)
    return [keys[k] for k in places.tolist()]
