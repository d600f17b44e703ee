"""What several pages of results show in the same way."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

import numpy as np

from label_editing.catalog import Catalog
from pipeline.evaluation.distances import Distances
from pipeline.evaluation.verdict import half_width
from pipeline.report.html import three_digits
from pipeline.report.page import Plot, Table, Tile, Words
from pipeline.report.plots import Bar, bars, histogram
from pipeline.sources.base import Image

_SHOWN_SHARE = 0.005  # of a row of the confusion matrix
_DARKEST = 0.55  # shade of a cell, so that its number stays readable
UNSEEN = 0.01  # IoU below which a class counts as not found at all
_NO_BREAK = "\u00a0"


def mean_share(shares: Sequence[float]) -> str:
    """In percent, with its 95 % interval where there are several."""
    spread = half_width(shares)
    said = f"{mean(shares):.1%}" if spread is None else f"{100 * mean(shares):.1f} ± {100 * spread:.1f}%"
    return said.replace(" ", _NO_BREAK)


def fid_tiles(segmenter: Distances | None, inception: Distances | None) -> list[Tile]:
    """A tile for each that was measured, held against what sampling alone gives."""
    return [
        Tile(
            f"FID to real images ({network})",
            three_digits(far.fid),
            f"two halves of the real ones: {three_digits(far.fid_of_real_halves)}",
        )
        for far, network in ((segmenter, "segmenter"), (inception, "Inception"))
        if far is not None
    ]


def iou_plot(names: Sequence[str], each: Mapping[str, Mapping[str, float]], where: str, title: str = "") -> Plot:
    """IoU of these classes in each; those that count as not found are named instead."""
    drawn = [name for name in names if max(of_one.get(name, 0.0) for of_one in each.values()) >= UNSEEN]
    series = {of: [_percent(of_one.get(name)) for name in drawn] for of, of_one in each.items()}
    left_out = ", ".join(name for name in names if name not in drawn)
    caption = f"Not drawn, under {UNSEEN:.0%}{where}: {left_out}." if left_out else ""
    return Plot(bars(drawn, series, "IoU by class", 0, "%"), caption, title)


def colors_of(catalog: Catalog, counted: Iterable[str], maps: Iterable[Image]) -> dict[str, str]:
    """What the colours in these pictures of label maps mean; classes that do not count come last."""
    shown = {tuple(color) for picture in maps for color in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    names = set(counted)
    known = {spec.name: spec.color for spec in catalog.classes if spec.name in names and spec.color in shown}
    others = shown - set(known.values())
    for color in dict.fromkeys(spec.color for spec in catalog.classes if spec.color in others):
        of_color = ", ".join(spec.name for spec in catalog.classes if spec.color == color)
        known[f"{of_color} (not counted)"] = color
    return {name: css_color(color) for name, color in known.items()}


def css_color(color: Sequence[int]) -> str:
    """As CSS writes it."""
    return f"rgb({' '.join(map(str, color))})"


def agreement_plot(agreements: Mapping[str, float]) -> Plot:
    """How much of each scene was found again."""
    shares = list(agreements.values())
    return Plot(
        histogram({"scenes": shares}, "Agreement of scenes", "scenes", "pixels found again, of a scene"),
        f"Mean, with its 95% interval: {mean_share(shares)}, of {len(shares)} scenes.",
        "Agreement, scene by scene",
    )


def warnings(notes: Iterable[str]) -> list[Words]:
    """What takes from the worth of the numbers below."""
    return [Words(f"{note}.", "bad") for note in notes]


def confusion_table(confusion: Sequence[Sequence[int]], catalog: Catalog, looked_at: str) -> Table:
    """Which class is taken for which in what was looked at; rows are true."""
    names = [spec.name for spec in catalog.classes]
    occurring = [rank for rank, row in enumerate(confusion) if sum(row)]
    predicted = [k for k in range(len(names)) if any(confusion[rank][k] for rank in occurring)]
    shares = [[confusion[r][k] / sum(confusion[r]) for k in predicted] for r in occurring]
    return Table(
        ("true class", *(names[k] for k in predicted)),
        [
            [names[r], *(f"{100 * share:.0f}" if share >= _SHOWN_SHARE else "" for share in row)]
            for r, row in zip(occurring, shares, strict=True)
        ],
        shades=[[share * _DARKEST for share in row] for row in shares],
        note=f"Rows: the class of the label map. Columns: what the judge sees in {looked_at}, in percent of the "
        "row's pixels; empty below half a percent.",
        upright=True,
    )


def _percent(share: float | None) -> Bar:
    return Bar(None if share is None else 100 * share)
