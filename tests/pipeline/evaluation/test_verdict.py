"""Intervals over seeds against scipy's own."""

import numpy as np
import pytest
from scipy import stats

from pipeline.evaluation.verdict import Verdict, compare, t_quantile


def test_the_interval_is_that_of_a_paired_t_test():
    values, baseline = [0.52, 0.55, 0.56, 0.50], [0.50, 0.51, 0.52, 0.49]
    found = compare(values, baseline)
    interval = stats.ttest_rel(values, baseline).confidence_interval(0.95)
    assert found.points == pytest.approx(100 * np.mean(interval))
    assert found.half_width == pytest.approx(50 * (interval.high - interval.low), rel=1e-3)
    assert str(found) == f"{found.points:+.1f} ± {found.half_width:.1f} points: better"


@pytest.mark.parametrize("freedom", range(1, 15))
def test_quantiles_are_those_of_student(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-3)


def test_a_difference_smaller_than_its_spread_is_noise():
    assert compare([0.50, 0.56, 0.47], [0.50, 0.51, 0.50]).word == "within the noise"
    assert compare([0.40, 0.41, 0.40], [0.50, 0.51, 0.50]).word == "worse"


def test_one_seed_says_nothing():
    assert str(compare([0.6], [0.5])) == "+10.0 points: one seed says nothing"
    assert Verdict(10.0, None).within_noise


def test_other_seeds_cannot_be_compared():
    with pytest.raises(ValueError, match=r"^2 and 1 seeds; a comparison needs the same ones, at least one$"):
        compare([0.1, 0.2], [0.1])
