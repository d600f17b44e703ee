"""Where points of the world appear, and how depth comes back from where they appear."""

import numpy as np
import pytest

from pipeline.sources.streetscapes.camera import Camera

STRAIGHT = Camera(focal=1.2, horizon=0.45, shift=0.1, height=2.0, bend=0.0)
BENT = Camera(focal=1.2, horizon=0.45, shift=0.0, height=2.0, bend=0.0006)


def test_a_point_on_the_line_of_sight_is_the_vanishing_point_at_every_depth() -> None:
    points = np.array([(0.0, 2.0, z) for z in (1.0, 10.0, 100.0)])
    np.testing.assert_allclose(STRAIGHT.project(points), [(0.1, 0.45)] * 3)


def test_size_falls_with_depth() -> None:
    # A metre at twice the depth is half as wide: focal / depth.
    ends = STRAIGHT.project(np.array([(0.0, 0.0, 6.0), (1.0, 0.0, 6.0), (0.0, 0.0, 12.0), (1.0, 0.0, 12.0)]))
    assert ends[1, 0] - ends[0, 0] == pytest.approx(1.2 / 6.0)
    assert ends[3, 0] - ends[2, 0] == pytest.approx(1.2 / 12.0)


def test_the_street_bends_by_the_square_of_the_distance() -> None:
    at_50 = BENT.project(np.array([(0.0, 0.0, 50.0)]))[0, 0]
    assert at_50 == pytest.approx(1.2 * 0.0006 * 50.0)
    assert BENT.apparent_x(1.0, 50.0) == pytest.approx(1.0 + 1.5)


@pytest.mark.parametrize("camera", [STRAIGHT, BENT])
def test_the_ground_plane_gives_back_the_depth_of_points_on_the_ground(camera: Camera) -> None:
    points = np.array([(x, 0.0, z) for x in (-5.0, 0.0, 4.0) for z in (2.0, 15.0, 90.0)])
    u, v = camera.project(points).T
    a, b, c = camera.ground_plane()
    np.testing.assert_allclose(1.0 / (a * u + b * v + c), points[:, 2])


def test_the_plane_of_a_wall_gives_back_the_depth_of_points_on_the_wall() -> None:
    # From (-7, 4) to (-9, 30): points on it by linear interpolation.
    plane = STRAIGHT.upright_planes(np.array([(-7.0, 4.0, -9.0, 30.0)]))[0]
    shares = np.linspace(0.0, 1.0, 7)
    points = np.array([(-7.0 - 2.0 * t, y, 4.0 + 26.0 * t) for t in shares for y in (0.0, 5.0)])
    u, v = STRAIGHT.project(points).T
    np.testing.assert_allclose(1.0 / (plane[0] * u + plane[1] * v + plane[2]), points[:, 2])


def test_a_plane_seen_edge_on_has_finite_coefficients() -> None:
    plane = STRAIGHT.upright_planes(np.array([(3.0, 5.0, 3.0, 5.0)]))
    assert np.isfinite(plane).all()
