"""The reports of runs and trainings in a real browser."""

import numpy as np
import pytest

from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.curves import curve
from pipeline.report.html import data_uri, run_report
from pipeline.report.page import Page, Plot, Section, Table, Tile
from pipeline.report.plots import histogram
from tests.pipeline.chromium import DARK, LOOK, needs_chromium, opened

pytestmark = [pytest.mark.slow, needs_chromium]

WHOLE = {"broken": 0, "uneven": 0, "odd": 0, "cut": 0, "small": 0, "scrolled": 0, "fits": True}
STICKS = """<script>addEventListener("load", () => {
  const scroll = document.querySelector(".scroll");
  scroll.scrollLeft = 200;
  const name = scroll.querySelector("td").getBoundingClientRect();
  parent.postMessage({ scrolls: scroll.scrollLeft > 0, left: name.left - scroll.getBoundingClientRect().left }, "*");
});</script>"""


@pytest.mark.parametrize("width", [390, 1280])
def test_a_report_of_a_run_is_whole_and_fits(make_summary, width, tmp_path):
    picture = data_uri(encode_jpeg(np.zeros((32, 64, 3), np.uint8)))
    edits = ["swap_class: not drawn", "remove_instances: removed person (11), rider, motorcycle"]
    shown = [{"key": "streetscapes-train-000056", "pictures": [picture] * 3, "done": edits}]
    seen, console = opened(run_report(make_summary(), shown), LOOK, tmp_path, width)
    assert console == ""
    assert seen == WHOLE | {"images": 3, "tables": 6, "plots": 0, "width": width, "dark": False}


@pytest.mark.parametrize("width", [390, 1280])
def test_curves_and_settings_fit(width, tmp_path):
    points = [(step, 1234.5 / (1 + step)) for step in range(90_000, 90_050)]
    plots = [Plot(curve(points, "loss"), title="loss"), Plot(histogram({"all": [0.5]}, "agreement", "scenes", "share"))]
    settings = {"model": {"discriminator_downsamplings": 3, "url": "s3://team/" + "x" * 200}, "by": None}
    page = Page("Training", "Of a model.", [Tile("steps", "9")], [Section("Curves", plots)], settings)
    seen, console = opened(page.to_html(), LOOK, tmp_path, width, DARK)
    assert console == ""
    assert seen == WHOLE | {"images": 0, "tables": 0, "plots": 2, "width": width, "dark": True}


def test_the_names_of_a_wide_table_stay_while_it_scrolls(tmp_path):
    table = Table(["class", *(f"column {k}" for k in range(12))], [["road", *["12.3 ± 4.5"] * 12]])
    page = Page("Wide", "A table.", [], [Section("Table", [table])])
    assert opened(page.to_html(), STICKS, tmp_path, 390) == ({"scrolls": True, "left": 0}, "")
