"""A curve over steps as inline SVG, in the colours of the page."""

import math
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT = 400, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 6, 10, 28
_TICKS = 4  # about so many lines
_FEW = 40  # points that are seen one by one

Points = Sequence[tuple[float, float]]


def curve(points: Points, label: str, marked: float | None = None) -> str:
    """One line over steps; `marked` is a step worth a line of its own.

    Values far above the rest, as in the first steps, are cut off: they would flatten everything else.
    """
    points = [point for point in points if math.isfinite(point[1])]
    low, high = _range([value for _, value in points])
    first, last = min((x for x, _ in points), default=0.0), max((x for x, _ in points), default=1.0)
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT

    def across(x: float) -> float:
        return _LEFT + (x - first) / ((last - first) or 1.0) * (right - _LEFT)

    def up(value: float) -> float:
        return bottom - (min(high, max(low, value)) - low) / (high - low) * (bottom - _TOP)

    parts = [_scale(low, high), _ends(first, last)]
    if marked is not None:
        x = across(marked)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke-dasharray="4"/>')
    places = " ".join(f"{across(x):.1f},{up(value):.1f}" for x, value in points)
    parts.append(f'<polyline points="{places}" fill="none" stroke="var(--after)" stroke-width="1.6"/>')
    if len(points) <= _FEW:
        dots = (f'<circle cx="{across(x):.1f}" cy="{up(value):.1f}" r="3"/>' for x, value in points)
        parts.append(f'<g fill="var(--after)">{"".join(dots)}</g>')
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg class="plot" {size} role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    ordered = sorted(values)
    # The largest fiftieth may leave the picture, not more.
    high = ordered[round(0.98 * (len(ordered) - 1))]
    low = min(0.0, ordered[0])
    return (low, high) if high > low else (low, low + 1.0)


def _ticks(low: float, high: float) -> list[float]:
    """Round values from low to high."""
    size = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(size))
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power >= size * 0.999)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _scale(low: float, high: float) -> str:
    bottom = _HEIGHT - _BOTTOM
    lines = [f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>']
    for value in _ticks(low, high):
        y = bottom - (value - low) / (high - low) * (bottom - _TOP)
        lines.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="value" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    return "".join(lines)


def _ends(first: float, last: float) -> str:
    y = _HEIGHT - _BOTTOM + 18
    return (
        f'<text class="soft" x="{_LEFT}" y="{y}">step {first:,.0f}</text>'
        f'<text class="soft" x="{_WIDTH - _RIGHT}" y="{y}" text-anchor="end">step {last:,.0f}</text>'
    )
