"""How many: a number, or [least, most]."""

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=0)] | tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


def as_range(count: Count) -> tuple[int, int]:
    """Both ends, included; ValueError when they are the wrong way round."""
    low, high = (count, count) if isinstance(count, int) else count
    if low > high:
        raise ValueError(f"count [{low}, {high}]: the least is above the most")
    return low, high
