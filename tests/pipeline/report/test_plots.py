"""Plots say what they are given: lengths, labels, and nothing that a browser would run."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.report.plots import Bar, bars, histogram

SVG = "{http://www.w3.org/2000/svg}"


def rectangles(svg: str) -> list[dict[str, str]]:
    tree = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    return [element.attrib for element in tree.iter(f"{SVG}rect")]


def test_bars_are_as_long_as_their_values():
    drawn = rectangles(bars(["a", "b"], {"one": [Bar(0.2), Bar(0.8)]}, "label"))
    short, long = (float(each["width"]) for each in drawn)
    assert long == pytest.approx(4 * short, rel=0.01)


def test_a_legend_of_many_names_takes_rows_and_stays_inside():
    names = [f"a model of name {number}" for number in range(8)]
    svg = bars(["road"], {name: [Bar(0.5)] for name in names}, "label")
    width, height = (float(side) for side in re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    swatches = [each for each in rectangles(svg) if each["width"] == "11"]
    assert len(swatches) == 8
    assert len({each["y"] for each in swatches}) > 1
    assert all(float(each["x"]) + 16 + 6 * len(names[0]) <= width for each in swatches)
    longest = max(float(each["y"]) + float(each["height"]) for each in rectangles(svg))
    assert longest < height


def test_a_spread_is_a_line_as_long_as_twice_itself():
    svg = bars(["a"], {"one": [Bar(0.5, 0.1)]}, "label")
    left, right = (float(x) for x in re.search(r'd="M([\d.]+) [\d.]+H([\d.]+)M', svg).groups())
    [bar] = rectangles(svg)
    assert right - left == pytest.approx(float(bar["width"]) * 0.4, rel=0.01)


def test_what_was_not_measured_has_no_bar():
    svg = bars(["a"], {"one": [Bar(None)]}, "label")
    assert rectangles(svg) == []
    assert "not measured" in svg


def test_names_are_escaped():
    assert "<script>" not in bars(["<script>"], {"one": [Bar(1.0)]}, 'a "label"')


def test_a_histogram_counts_shares_of_each_series():
    svg = histogram({"one": [0.1, 0.1, 0.9, 1.0]}, "label", bins=2)
    low, high = (float(each["height"]) for each in rectangles(svg))
    assert low == high
    assert "one: 0% to 50%: 50.0%" in svg


def test_a_histogram_says_what_is_counted_and_along_what():
    svg = histogram({"one": [0.2]}, "label", "scenes", "pixels <found>")
    assert "100% of the scenes" in svg
    assert "pixels &lt;found&gt;" in svg


def test_the_longest_value_stays_inside():
    svg = bars(["a", "b"], {"one": [Bar(31.4), Bar(100.0, 4.0)]}, "label", 1, "%")
    width = float(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    places = re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="value">([^<]*)', svg)
    assert [said for _, said in places] == ["31.4%", "100.0%"]
    assert all(float(x) + 6.9 * len(said) <= width for x, said in places)
