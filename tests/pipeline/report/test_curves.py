import re
from xml.etree import ElementTree

import pytest

from pipeline.report.curves import curve


def places(svg: str) -> list[tuple[float, float]]:
    line = re.search(r'<polyline points="([^"]*)"', svg)
    assert line is not None
    pairs = (point.split(",") for point in line[1].split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_curve_is_svg_that_goes_up_where_values_do() -> None:
    svg = curve([(1, 0.0), (2, 1.0), (3, 0.5)], "a <loss>")
    ElementTree.fromstring(svg)
    assert 'aria-label="a &lt;loss&gt;"' in svg
    (left, low), (middle, high), (right, half) = places(svg)
    assert left < middle < right
    assert middle - left == pytest.approx(right - middle, abs=0.2)
    assert low - high == pytest.approx(2 * (low - half), abs=0.2)


def test_a_first_value_far_above_the_rest_does_not_flatten_it() -> None:
    points = [(step, 1000.0 if step == 0 else 1 + step / 100) for step in range(100)]
    heights = [y for _, y in places(curve(points, "loss"))]
    assert max(heights[1:]) - min(heights[1:]) > 50


@pytest.mark.parametrize("points", [[], [(5, 2.0)], [(1, 3.0), (2, 3.0)], [(1, float("nan")), (2, 1.0)]])
def test_nothing_breaks_a_curve(points: list[tuple[float, float]]) -> None:
    ElementTree.fromstring(curve(points, "loss", marked=1))


@pytest.mark.parametrize(
    ("high", "said"), [(0.971, ["0", "0.5"]), (3.93, ["0", "1", "2", "3"]), (18.7, ["0", "5", "10", "15"])]
)
def test_the_scale_stands_at_round_values(high: float, said: list[str]) -> None:
    svg = curve([(1, 0.0), (2, high)], "loss")
    assert re.findall(r'class="value"[^>]*>([^<]*)<', svg) == said
