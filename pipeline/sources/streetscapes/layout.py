"""How a street is laid out across: lanes, parking strips, verges and pavements, from one building line to the other."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.sources.streetscapes.camera import Camera
from pipeline.sources.streetscapes.chance import between, count, happens, pick

LANE_WIDTH = 3.3
PARKING_WIDTH = 2.3
KERB = 0.14  # height of the pavements
FAR = 140.0  # where the street ends and the backdrop stands

Frontage = Literal["houses", "park", "mixed"]


@dataclass(frozen=True)
class Side:
    """One side of the street; distances from the camera's line grow outwards, whichever side it is."""

    sign: int  # -1 left, 1 right
    road_edge: float
    parking_edge: float
    verge_edge: float
    line: float  # where the pavement ends: the building line
    frontage: Frontage
    fenced: bool

    def x(self, distance: float) -> float:
        """The world x of a distance on this side."""
        return self.sign * distance


@dataclass(frozen=True)
class Layout:
    """The street across, and where it is crossed."""

    left: Side
    right: Side
    lanes_ahead: int
    lanes_oncoming: int
    crossing: float | None  # depth of a zebra crossing
    junction: tuple[float, float] | None  # from where to where another street crosses this one
    parking_is_marked: bool

    def is_kerb(self, z: float) -> bool:
        """Whether there is a kerb at this depth to stand or park at: not in a junction, nor close before it."""
        return self.junction is None or not self.junction[0] - 6.0 < z < self.junction[1] + 1.0

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.left, self.right

    def lane_center(self, lane: int) -> float:
        """Lane 0 is the camera's own, 1 and up to the right, -1 and down oncoming."""
        return lane * LANE_WIDTH


def draw_camera(rng: np.random.Generator) -> Camera:
    """A camera on a car or a van, on a street that is straight more often than not."""
    bend = 0.0 if happens(rng, 0.45) else between(rng, -0.0008, 0.0008)
    return Camera(
        focal=between(rng, 1.05, 1.45),
        horizon=between(rng, 0.4, 0.5),
        shift=between(rng, -0.16, 0.16),
        height=between(rng, 1.7, 2.5),
        bend=bend,
    )


def draw_layout(rng: np.random.Generator) -> Layout:
    """A street across."""
    ahead, oncoming = pick(rng, ((1, 1), (1, 1), (1, 2), (2, 1), (2, 2)))
    parking_is_marked = happens(rng, 0.5)
    left = _draw_side(rng, -1, LANE_WIDTH * (oncoming + 0.5))
    right = _draw_side(rng, 1, LANE_WIDTH * (ahead - 0.5))
    crossing = between(rng, 9.0, 30.0) if happens(rng, 0.4) else None
    is_junction, width = happens(rng, 0.6), between(rng, 7.0, 10.0)
    junction = (crossing + 4.5, crossing + 4.5 + width) if crossing is not None and is_junction else None
    return Layout(left, right, ahead, oncoming, crossing, junction, parking_is_marked)


def _draw_side(rng: np.random.Generator, sign: int, road_edge: float) -> Side:
    parking_edge = road_edge + (PARKING_WIDTH if happens(rng, 0.6) else 0.0)
    verge_edge = parking_edge + (between(rng, 0.8, 1.8) if happens(rng, 0.3) else 0.0)
    line = verge_edge + 0.5 * count(rng, 4, 8)
    frontage: Frontage = pick(rng, ("houses", "houses", "houses", "mixed", "mixed", "park"))
    return Side(sign, road_edge, parking_edge, verge_edge, line, frontage, fenced=happens(rng, 0.6))
