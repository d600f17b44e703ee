"""The camera over the road: a pinhole that looks along z, over a street that may bend."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Camera:
    """Views are measured in image heights: u from the middle to the right, v from the top down."""

    focal: float
    horizon: float  # v of the horizon
    shift: float  # u of the vanishing point
    height: float  # metres above the road
    bend: float  # sideways shift of the street per square metre of distance

    def project(self, points: Floats) -> Floats:
        """World points (n, 3) to views (n, 2)."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        scale = self.focal / z
        u = self.shift + scale * (x + self.bend * z * z)
        v = self.horizon + scale * (self.height - y)
        return np.stack((u, v), axis=1)

    def apparent_x(self, x: float, z: float) -> float:
        """How far right of the line of sight a point of the street lies once the bend has moved it."""
        return x + self.bend * z * z

    def ground_plane(self) -> tuple[float, float, float]:
        """Inverse depth on the ground is linear in the view: a*u + b*v + c."""
        slope = 1.0 / (self.focal * self.height)
        return 0.0, slope, -self.horizon * slope

    def upright_planes(self, stands: Floats) -> Floats:
        """The same coefficients for vertical planes over ground lines (n, 4): x0, z0, x1, z1."""
        x0, z0, x1, z1 = stands.T
        u0 = self.shift + self.focal * (x0 / z0 + self.bend * z0)
        u1 = self.shift + self.focal * (x1 / z1 + self.bend * z1)
        run = u1 - u0
        # A plane seen edge-on covers no pixels; any slope will do.
        run = np.where(np.abs(run) < 1e-6, 1e-6, run)
        slope = (1.0 / z1 - 1.0 / z0) / run
        return np.stack((slope, np.zeros_like(slope), 1.0 / z0 - slope * u0), axis=1)
