"""Draws from a generator in the forms the street world needs, cheap enough for thousands a scene."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number drawn evenly from [low, high)."""
    return low + (high - low) * float(rng.random())


def count(rng: np.random.Generator, least: int, most: int) -> int:
    """A whole number drawn evenly from least..most, both included."""
    return least + int(float(rng.random()) * (most - least + 1))


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """One of the choices, drawn evenly."""
    # Generator.choice turns its argument into an array each time: fifty times the cost.
    return choices[int(float(rng.random()) * len(choices))]


def happens(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability."""
    return float(rng.random()) < probability
