"""A page of results holds all that it is given, escaped, in one file."""

import numpy as np

from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.page import Page, Picture, Plot, Section, Table, Words
from pipeline.report.plots import Bar, bars


def a_page() -> Page:
    table = Table(
        ("class", "IoU"), [["road", "0.9"], ["mean", "0.8"]], note="a note", shades=[[0.5], [0.0]], strong=(1,)
    )
    picture = Picture(encode_jpeg(np.zeros((8, 8, 3), np.uint8)), "a picture", "a caption")
    plot = Plot(bars(["road"], {"one": [Bar(0.9)]}, "IoU"), "a plot")
    section = Section("All", [table, plot, picture, Words("w", "bad")])
    provenance = {"command": "synthgen", "versions": {"torch": "2"}}
    return Page("A <page>", "It says & shows.", [("mean IoU", "0.8")], [section], provenance)


def test_everything_given_is_there_and_escaped():
    html = a_page().to_html()
    assert "<h1>A &lt;page&gt;</h1>" in html
    assert "It says &amp; shows." in html
    for said in ("a note", "a caption", "a plot", '<td class="name">versions torch</td>', '<p class="bad">w</p>'):
        assert said in html
    assert html.count("color-mix") == 1
    assert html.count('<tr class="strong">') == 1


def test_a_page_asks_nobody_for_anything():
    html = a_page().to_html()
    assert "http" not in html
    assert 'src="data:image/jpeg;base64,' in html
    assert "<script" not in html
