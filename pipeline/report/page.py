"""A page of results as data: tiles, tables, plots and pictures in sections, put into one HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.report.html import data_uri, plain, render_page

_NARROW_COLUMNS = 4  # a table of more takes the whole width of a page


class Tile(NamedTuple):
    """A number of the headline; the note says what to hold it against. `tone` good or bad colours it."""

    name: str
    value: str
    note: str = ""
    tone: str = ""


class Color(str):
    """A cell that says a colour, and shows it: red, green, blue from 0 to 255."""

    __slots__ = ()

    @classmethod
    def of(cls, rgb: Sequence[float]) -> "Color":
        return cls(" ".join(f"{value:.0f}" for value in rgb))


@dataclass(frozen=True)
class Table:
    """Texts in rows; the first column names, the others hold numbers. `shades` (0 to 1) colour the cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    shades: Sequence[Sequence[float]] = ()
    strong: Sequence[int] = ()  # rows to set in bold
    title: str = ""
    upright: bool = False  # headings stand, so that many columns fit
    texts: bool = False  # the other columns hold texts too

    @property
    def wide(self) -> bool:
        """Whether it needs all of the page's width."""
        return len(self.headings) > _NARROW_COLUMNS

    def chip(self, cell: str) -> str:
        """The colour that a cell shows; empty for any other."""
        return f"rgb({cell})" if isinstance(cell, Color) else ""

    def shade(self, row: int, column: int) -> int:
        """How much colour stands behind a cell, in percent."""
        if not self.shades or column == 0:
            return 0
        return round(100 * self.shades[row][column - 1])


@dataclass(frozen=True)
class Plot:
    """Inline SVG from `pipeline.report.plots`, which escapes what it is given."""

    svg: str
    caption: str = ""
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """A JPEG that stands in the page itself."""

    jpeg: bytes
    alt: str
    caption: str = ""

    @property
    def uri(self) -> str:
        return data_uri(self.jpeg)


class Shot(NamedTuple):
    """An encoded picture of a sheet; `flat` ones, as label maps, are enlarged without blurring their edges."""

    data: bytes
    name: str
    flat: bool = False

    @property
    def uri(self) -> str:
        return data_uri(self.data)


@dataclass(frozen=True)
class Sheet:
    """Rows of pictures, each row under its caption; `colors` say what the colours of label maps mean."""

    rows: Sequence[tuple[str, Sequence[Shot]]]
    note: str = ""
    colors: Mapping[str, str] = field(default_factory=dict)  # by name, as CSS writes them

    @property
    def columns(self) -> int:
        """Of the longest row."""
        return max((len(shots) for _, shots in self.rows), default=1)


@dataclass(frozen=True)
class Words:
    """A paragraph; `tone` good or bad colours it."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Terms:
    """Words that not every reader knows, explained."""

    meanings: Mapping[str, str]


@dataclass(frozen=True)
class Section:
    """A heading with blocks under it."""

    heading: str
    blocks: Sequence[Table | Plot | Picture | Sheet | Words | Terms]


@dataclass(frozen=True)
class Page:
    """Everything on a page. `answer` is what a reader in a hurry takes along; `lead`, what it was measured on."""

    title: str
    lead: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    provenance: dict[str, Any] = field(default_factory=dict)
    answer: str = ""

    def to_html(self) -> str:
        """One file without external requests."""
        sections = [(s.heading, [(type(block).__name__, block) for block in s.blocks]) for s in self.sections]
        return render_page(
            "results.html.j2",
            title=f"{self.title} - synthgen",
            page=self,
            sections=sections,
            provenance=list(_flat(self.provenance)),
        )


def _flat(data: dict[str, Any], prefix: str = "") -> Sequence[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name} ") if isinstance(value, dict) else [(name, plain(value))]
    return rows
