import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from pipeline.report.html import byte_size, data_uri, plain, run_report, three_digits
from pipeline.report.summary import RunSummary


class Text(HTMLParser):
    """The words of a page and the addresses it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def test_every_tag_of_the_report_is_closed(make_summary: Callable[..., RunSummary]) -> None:
    assert Text(run_report(make_summary())).open == []


def test_the_report_requests_nothing_from_outside(make_summary: Callable[..., RunSummary]) -> None:
    page = run_report(make_summary(), [{"key": "a", "pictures": [data_uri(b"\xff\xd8")], "done": ["mirror: applied"]}])
    assert all(address.startswith("data:") for address in Text(page).loads)
    assert not re.search(r"https?://", page)


def test_the_report_states_class_shares_before_and_after(make_summary: Callable[..., RunSummary]) -> None:
    words = " ".join(Text(run_report(make_summary())).words)
    assert "car 10.00% 20.00% +100%" in words
    assert "car 10 25 +150%" in words
    assert "The edits added most to car: 25 instances instead of 10, 20.0% of all pixels instead of 10.0%." in words
    assert "ship" not in words.split("How it was made")[0].split("Recipe")[0]


def test_the_report_escapes_what_came_from_outside(make_summary: Callable[..., RunSummary]) -> None:
    page = run_report(make_summary())
    assert "a<b>" not in page
    assert "a&lt;b&gt;: label map is empty" in page


def test_the_agreement_histogram_counts_every_sample_once(make_summary: Callable[..., RunSummary]) -> None:
    titles = re.findall(r'title="[^"]*: (\d+)"', run_report(make_summary()))
    assert len(titles) == 20
    assert sum(map(int, titles)) == 5
    assert titles[-1] == "2"


def test_a_run_without_rejects_says_so(make_summary: Callable[..., RunSummary]) -> None:
    page = run_report(make_summary(rejected={}, failed=[], agreement=[]))
    assert "None: every planned sample was made at the first draw." in page
    assert "Histogram of agreement" not in page


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1_500, "1.5 KB"), (123_456_789, "123.5 MB"), (2 * 10**12, "2.0 TB")],
)
def test_sizes_read_as_people_write_them(num_bytes: int, text: str) -> None:
    assert byte_size(num_bytes) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.3, "1.30"),
        (12, "12.0"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (0.00569, "0.00569"),
        (0, "0.00"),
        (-2.5, "-2.50"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ([], "-"),
        ({}, "-"),
        ("", "-"),
        (False, "no"),
        (0, "0"),
        (0.5, "0.5"),
        (["day", "night"], "day, night"),
        ({"time_of_day": "day", "flip": True}, "time_of_day: day, flip: yes"),
    ],
)
def test_settings_read_as_people_write_them(value: object, text: str) -> None:
    assert plain(value) == text


def test_a_run_that_added_nothing_has_no_headline(make_summary: Callable[..., RunSummary]) -> None:
    summary = make_summary()
    assert 'class="answer"' in run_report(summary)
    assert 'class="answer"' not in run_report(make_summary(after=summary.before))
