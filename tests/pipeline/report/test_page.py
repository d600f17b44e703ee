"""A page of results holds all that it is given, escaped, in one file."""

import re

import cv2
import numpy as np
import pytest

from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.page import Page, Picture, Plot, Section, Sheet, Table, Terms, Tile, Words
from pipeline.report.plots import Bar, bars
from pipeline.report.sheet import map_shot, photo_shot


def a_page() -> Page:
    table = Table(
        ("class", "IoU"), [["road", "0.9"], ["mean", "0.8"]], note="a note", shades=[[0.5], [0.0]], strong=(1,)
    )
    picture = Picture(encode_jpeg(np.zeros((8, 8, 3), np.uint8)), "a picture", "a caption")
    plot = Plot(bars(["road"], {"one": [Bar(0.9)]}, "IoU"), "a plot")
    black = np.zeros((8, 16, 3), np.uint8)
    sheet = Sheet([("<scene> 1", [map_shot(black, "label map"), photo_shot(black, "rendered")])], "a sheet")
    blocks = [table, plot, picture, sheet, Terms({"IoU": "how much <of> it"}), Words("w", "bad")]
    provenance = {"command": "synthgen", "versions": {"torch": "2"}, "seeds": [1, 2], "by": None, "flip": True}
    tile = Tile("mean IoU", "0.8", "of 1", "good")
    return Page("A <page>", "It says & shows.", [tile], [Section("All", blocks)], provenance, "It <helps>.")


def test_everything_given_is_there_and_escaped():
    html = a_page().to_html()
    assert "<h1>A &lt;page&gt;</h1>" in html
    assert "It says &amp; shows." in html
    for said in (
        "a note",
        "a caption",
        "a plot",
        "a sheet",
        '<p class="bad">w</p>',
        '<p class="answer">It &lt;helps&gt;.</p>',
    ):
        assert said in html
    assert '<span>mean IoU</span><b class="good">0.8</b><small>of 1</small>' in html
    assert "<figcaption>&lt;scene&gt; 1</figcaption>" in html
    assert "<dt>IoU</dt><dd>how much &lt;of&gt; it</dd>" in html
    assert re.findall(r"<dt>([^<]*)</dt><dd><code>([^<]*)</code>", html) == [
        ("command", "synthgen"),
        ("versions torch", "2"),
        ("seeds", "1, 2"),
        ("by", "-"),
        ("flip", "yes"),
    ]
    assert html.count("color-mix") == 1
    assert html.count('<tr class="strong">') == 1


def test_words_between_backticks_are_code_and_colours_have_names():
    black = np.zeros((8, 16, 3), np.uint8)
    sheet = Sheet([("1", [map_shot(black, "label map")])], "see `a <b>` and c", {"road <r>": "rgb(128 64 128)"})
    html = Page("A", "run `x`", [], [Section("All", [sheet, Words("do `y`", "bad")])]).to_html()
    assert "run <code>x</code></p>" in html
    assert '<p class="bad">do <code>y</code></p>' in html
    assert '<p class="note">see <code>a &lt;b&gt;</code> and c</p>' in html
    assert '<i class="chip" style="background:rgb(128 64 128)"></i>road &lt;r&gt;</span>' in html


def test_a_page_asks_nobody_for_anything():
    html = a_page().to_html()
    assert "http" not in html
    assert 'src="data:image/jpeg;base64,' in html
    assert "<script" not in html


def test_a_label_map_keeps_its_edges_and_a_photograph_is_a_jpeg():
    html = a_page().to_html()
    assert '<img class="flat" alt="label map, &lt;scene&gt; 1" src="data:image/png;base64,' in html
    assert '<img alt="rendered, &lt;scene&gt; 1" src="data:image/jpeg;base64,' in html


@pytest.mark.parametrize(("width", "shown"), [(64, 64), (480, 480), (2048, 480)])
def test_pictures_of_a_sheet_are_no_larger_than_a_page_shows(width, shown):
    shot = map_shot(np.zeros((width // 2, width, 3), np.uint8), "label map")
    assert cv2.imdecode(np.frombuffer(shot.data, np.uint8), cv2.IMREAD_COLOR).shape == (shown // 2, shown, 3)


@pytest.mark.parametrize(("columns", "wide"), [(3, False), (4, False), (5, True)])
def test_a_table_of_many_columns_takes_the_whole_width(columns, wide):
    html = Page("a", "b", [], [Section("c", [Table(["x"] * columns, [["1"] * columns])])]).to_html()
    assert ('<div class="block wide">' in html) == wide
