"""Plots as inline SVG in the colours of the page: bars with error bars, histograms."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH = 400  # of a phone, nearly: text stays readable there
_BESIDE = 6  # between a bar and its value
_BAR = 12
_NAME = 17  # the line of a name over its bars
_GAP = 6
_LEGEND_ROW = 20
_LETTER = 6.9  # width of one, about
_COLORS = ("var(--after)", "var(--before)", "#d08a2e", "#3b9c77", "#9a5fc0", "#c2524f", "#6b7f2a", "#2f8fa8")


class Bar(NamedTuple):
    """A value and how far it may be off; None where it was not measured."""

    value: float | None
    spread: float = 0.0


def bars(names: Sequence[str], series: Mapping[str, Sequence[Bar]], label: str, digits: int = 3, unit: str = "") -> str:
    """A group of horizontal bars a name, one bar a series, error bars where there is a spread."""
    known = [bar for of_series in series.values() for bar in of_series if bar.value is not None]
    longest = max((len(_value(bar, digits, unit)) for bar in known), default=0)
    scale = _WIDTH - 2 * _BESIDE - _LETTER * longest, max((_end(bar) for bar in known), default=1.0) or 1.0
    group = _NAME + len(series) * (_BAR + 2) + _GAP
    legend, top = _legend(list(series))
    parts = [legend]
    for row, name in enumerate(names):
        y = top + row * group
        parts.append(f'<text x="0" y="{y + 13:.1f}">{escape(name)}</text>')
        for number, of_series in enumerate(series.values()):
            place = y + _NAME + number * (_BAR + 2)
            parts.append(_bar(of_series[row], place, scale, _color(number), _value(of_series[row], digits, unit)))
    return _svg(top + len(names) * group, label, parts)


def histogram(
    series: Mapping[str, Sequence[float]], label: str, what: str = "images", across: str = "", bins: int = 20
) -> str:
    """How often shares from 0 to 1 fall in equal steps, as shares of each series; `what` is counted, `across` said."""
    legend, top = _legend(list(series))
    height, left = 110, 4
    bottom = top + height + 22  # above it the scale, below it the values
    counts = {name: _shares(values, bins) for name, values in series.items()}
    most = max((share for shares in counts.values() for share in shares), default=0.0) or 1.0
    step = (_WIDTH - 2 * left) / bins
    width = (step - 3) / max(1, len(series))
    ceiling = bottom - height
    parts = [
        legend,
        f'<line x1="{left}" y1="{ceiling}" x2="{_WIDTH - left}" y2="{ceiling}" class="axis"/>',
        f'<text x="{left}" y="{ceiling - 4}" class="soft">{most:.0%} of the {escape(what)}</text>',
    ]
    for number, (name, shares) in enumerate(counts.items()):
        for k, share in enumerate(shares):
            x, h = left + k * step + number * width, share / most * height
            said = f"{name}: {k / bins:.0%} to {(k + 1) / bins:.0%}: {share:.1%}"
            parts.append(
                f'<rect x="{x:.1f}" y="{bottom - h:.1f}" width="{width:.1f}" height="{h:.1f}" '
                f'fill="{_color(number)}"><title>{escape(said)}</title></rect>'
            )
    parts.append(f'<line x1="{left}" y1="{bottom}" x2="{_WIDTH - left}" y2="{bottom}" class="axis"/>')
    for place, anchor in ((0.0, "start"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1.0, "end")):
        x = left + place * (_WIDTH - 2 * left)
        parts.append(f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="{anchor}">{place:.0%}</text>')
    if across:
        parts.append(
            f'<text x="{_WIDTH / 2:.0f}" y="{bottom + 33}" text-anchor="middle" class="soft">{escape(across)}</text>'
        )
    return _svg(bottom + (39 if across else 20), label, parts)


def _shares(values: Sequence[float], bins: int) -> list[float]:
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int(value * bins)))] += 1
    return [count / max(1, len(values)) for count in counts]


def _value(bar: Bar, digits: int, unit: str) -> str:
    return "" if bar.value is None else f"{bar.value:.{digits}f}{unit}"


def _end(bar: Bar) -> float:
    return (bar.value or 0.0) + bar.spread


def _bar(bar: Bar, y: float, scale: tuple[float, float], color: str, said: str) -> str:
    if bar.value is None:
        return f'<text x="0" y="{y + 10:.1f}" class="soft">not measured</text>'
    room, most = scale
    width, spread = bar.value / most * room, bar.spread / most * room
    end, middle = width, y + _BAR / 2
    drawn = f'<rect x="0" y="{y:.1f}" width="{max(0.5, width):.1f}" height="{_BAR}" rx="2" fill="{color}"/>'
    if bar.spread:
        left, right = max(0.0, end - spread), end + spread
        drawn += (
            f'<path d="M{left:.1f} {middle:.1f}H{right:.1f}M{left:.1f} {y + 2:.1f}V{y + _BAR - 2:.1f}'
            f'M{right:.1f} {y + 2:.1f}V{y + _BAR - 2:.1f}" class="spread"/>'
        )
    return drawn + f'<text x="{end + spread + _BESIDE:.1f}" y="{y + 10:.1f}" class="value">{said}</text>'


def _legend(names: Sequence[str]) -> tuple[str, float]:
    """Names beside their colours, in as many rows as they need, and where they end; none for a single series."""
    if len(names) < 2:
        return "", 2.0
    parts, x, y = [], 0.0, 2.0
    for number, name in enumerate(names):
        width = 32 + _LETTER * len(name)
        if x and x + width > _WIDTH:
            x, y = 0.0, y + _LEGEND_ROW
        parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="11" height="11" rx="2" fill="{_color(number)}"/>')
        parts.append(f'<text x="{x + 16:.0f}" y="{y + 10:.0f}">{escape(name)}</text>')
        x += width
    return "".join(parts), y + _LEGEND_ROW + 4


def _color(number: int) -> str:
    return _COLORS[number % len(_COLORS)]


def _svg(height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
