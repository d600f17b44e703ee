import numpy as np
import pytest

from pipeline.balance import balance_weights, count_classes, tilted_weights
from pipeline.recipe import Balance
from pipeline.resolution import Resolution
from pipeline.sources import SOURCES

SIZE = Resolution(96, 48)


@pytest.fixture(scope="module")
def streets():
    return SOURCES["streetscapes"](scenes=60, seed=1).open()


def test_the_shares_asked_for_are_reached_in_expectation():
    rng = np.random.default_rng(0)
    amounts = rng.gamma(0.5, 10, (500, 2))
    totals = np.full(500, 100.0)
    weights = tilted_weights(amounts, totals, [0.09, 0.03])
    assert weights @ amounts / (weights @ totals) == pytest.approx([0.09, 0.03], rel=1e-3)
    assert weights.sum() == pytest.approx(1)


def test_shares_as_they_are_leave_the_weights_uniform():
    amounts = np.random.default_rng(1).gamma(1, 1, (100, 1))
    weights = tilted_weights(amounts, np.full(100, 50.0), [amounts.mean() / 50])
    assert weights == pytest.approx(np.full(100, 0.01), rel=1e-4)


def test_the_solution_is_the_exponential_tilt_known_in_closed_form():
    # Two kinds of scenes, with 0 or 1 of 2: share t needs weight 2t on the second kind.
    amounts = np.array([[0.0], [0.0], [0.0], [1.0]])
    weights = tilted_weights(amounts, np.full(4, 2.0), [0.3])
    assert weights == pytest.approx([0.4 / 3, 0.4 / 3, 0.4 / 3, 0.6], rel=1e-3)


def test_a_share_out_of_reach_does_not_make_a_data_set_of_one_scene():
    amounts = np.random.default_rng(2).gamma(1, 1, (400, 1))
    weights = tilted_weights(amounts, np.full(400, 100.0), [0.9])
    assert weights.max() <= 20 / 400 + 1e-12
    assert weights.sum() == pytest.approx(1)


def test_streets_with_more_cars_are_drawn_more_often(streets):
    counts = count_classes(streets, SIZE, "pixels")
    before = counts[:, 26].sum() / counts.sum()
    weights = balance_weights(Balance(by="pixels", target={"car": 1.3 * before}), streets, SIZE)
    assert weights @ counts[:, 26] / (weights @ counts.sum(axis=1)) == pytest.approx(1.3 * before, rel=0.02)


def test_pixels_and_instances_are_counted_as_the_maps_say(streets):
    scene = streets.read_scene(streets.keys()[0], SIZE)
    assert count_classes(streets, SIZE, "pixels")[0].sum() == 96 * 48
    cars = [i for i in np.unique(scene.instances) if i // 1000 == 26]
    assert count_classes(streets, SIZE, "instances")[0, 26] == len(cars)
