"""The view of a scene comes out of its objects."""

from collections.abc import Callable

import numpy as np
import pytest

from label_editing.canvas import Canvas
from label_editing.perspective import Perspective, fit_perspective
from label_editing.scene import Scene
from label_editing.views import view_of

HORIZON, SCALE = 0.4, 0.5


def test_objects_on_a_line_give_that_line() -> None:
    feet = np.array([0.5, 0.6, 0.7, 0.9])
    view = fit_perspective(feet, SCALE * (feet - HORIZON))
    assert view is not None
    assert (view.horizon, view.scale) == (pytest.approx(HORIZON), pytest.approx(SCALE))
    assert view.pixels_per_metre(70, 100) == pytest.approx(15)
    assert view.pixels_per_metre(30, 100) == 0


def test_two_half_hidden_objects_among_ten_do_not_move_it_much() -> None:
    feet = np.linspace(0.5, 0.9, 10)
    sizes = SCALE * (feet - HORIZON)
    sizes[[2, 7]] *= 0.4
    view = fit_perspective(feet, sizes)
    assert view is not None
    assert view.horizon == pytest.approx(HORIZON, abs=0.01)
    assert view.scale == pytest.approx(SCALE, rel=0.05)


@pytest.mark.parametrize(
    ("feet", "sizes"),
    [
        ([0.5, 0.6, 0.7], [0.1, 0.2, 0.3]),
        ([0.7, 0.7, 0.7, 0.71], [0.1, 0.2, 0.3, 0.2]),
        ([0.5, 0.6, 0.7, 0.8], [0.4, 0.3, 0.2, 0.1]),
    ],
    ids=["too few", "all on one row", "nearer ones smaller"],
)
def test_objects_that_tell_no_line_leave_the_prior(feet: list[float], sizes: list[float]) -> None:
    prior = Perspective(horizon=0.45, scale=0.7)
    assert fit_perspective(np.array(feet), np.array(sizes), prior) is prior
    assert fit_perspective(np.array(feet), np.array(sizes)) is None


def test_a_street_shows_the_view_it_was_drawn_in(street: Callable[..., Scene]) -> None:
    view = view_of(Canvas(street(height=512, width=1024, cars=8)), None)
    assert view is not None
    assert view.horizon == pytest.approx(HORIZON, abs=0.01)
    assert view.scale == pytest.approx(SCALE, rel=0.03)


def test_a_bare_street_takes_the_prior_else_the_row_where_its_ground_begins(street: Callable[..., Scene]) -> None:
    prior = Perspective(horizon=0.45, scale=0.7)
    bare = Canvas(street(cars=0, persons=0))
    assert view_of(bare, prior) is prior
    guessed = view_of(bare, None)
    assert guessed is not None
    assert guessed.horizon == pytest.approx(HORIZON, abs=0.04)


def test_distance_is_infinite_at_the_horizon() -> None:
    view = Perspective(horizon=0.5, scale=1.0)
    assert view.distance_m(50, 100, focal_px=200) == float("inf")
    assert view.distance_m(90, 100, focal_px=200) == pytest.approx(5.0)
