"""The static HTML report of a run: one file, no external requests, opens from disk or object storage."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypedDict

import jinja2

from pipeline.report.summary import RunSummary

_BINS = 20
_PNG = b"\x89PNG"


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def render_page(template: str, **data: Any) -> str:
    """One of the page templates with its data; everything in it is escaped."""
    return _templates().get_template(template).render(**data)


class ShownSample(TypedDict):
    """A sample as a page shows it: its pictures as `data_uri` and a line for each edit."""

    key: str
    pictures: Sequence[str]
    done: Sequence[str]


def run_report(summary: RunSummary, shown: Sequence[ShownSample] = ()) -> str:
    """The report of a finished run, with some of its samples."""
    return render_page(
        "run.html.j2",
        title=f"Data set {summary.name} - synthgen",
        summary=summary,
        answer=_answer(summary),
        tiles=_tiles(summary),
        shown=shown,
        pixels=_paired_rows(summary, summary.before.pixels, summary.after.pixels, shares=True),
        instances=_paired_rows(summary, summary.before.instances, summary.after.instances, shares=False),
        edits=[(op, sorted(outcomes.items(), key=_most_first)) for op, outcomes in summary.edits.items()],
        attributes=[(name, sorted(values.items(), key=_most_first)) for name, values in summary.attributes.items()],
        rejected=sorted(summary.rejected.items(), key=_most_first),
        failed=summary.failed,
        histogram=_histogram(summary),
        stages=_stage_rows(summary),
        provenance=_provenance(summary),
    )


def data_uri(picture: bytes) -> str:
    """A JPEG or PNG that stands in the page itself."""
    kind = "png" if picture.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode("ascii")


def three_digits(value: float) -> str:
    """A number to three digits, those at its end too: 1.30, 12.0, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def plain(value: object) -> str:
    """A setting as people write it."""
    if value is None or value in ("", [], (), {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def byte_size(num_bytes: int) -> str:
    """Bytes as people read them."""
    size = float(num_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _answer(summary: RunSummary) -> str:
    """What the edits added most of, in words; nothing where they added no instances."""
    before, after = summary.before, summary.after
    added = {name: count - before.instances.get(name, 0) for name, count in after.instances.items()}
    name = max(added, key=lambda name: added[name], default="")
    if not name or added[name] <= 0:
        return ""
    shares = [counts.pixels.get(name, 0) / (sum(counts.pixels.values()) or 1) for counts in (after, before)]
    return (
        f"The edits added most to {name}: {after.instances[name]:,} instances instead of "
        f"{before.instances.get(name, 0):,}, {shares[0]:.1%} of all pixels instead of {shares[1]:.1%}."
    )


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _tiles(summary: RunSummary) -> list[dict[str, str]]:
    made = [
        ("pairs", f"{summary.samples:,}"),
        ("shards", f"{summary.shards:,}"),
        ("size", byte_size(summary.num_bytes)),
    ]
    made.append(("samples a second", f"{summary.samples_per_second:.2f}"))
    if summary.agreement:
        mean = sum(summary.agreement) / len(summary.agreement)
        made.append(("mean agreement", f"{mean:.0%}"))
    if summary.real_agreement is not None:
        made.append(("agreement of real pairs", f"{summary.real_agreement:.0%}"))
    if summary.seen_pixels:
        made.append(("labels kept in seen.png", f"{_share_seen(summary):.0%}"))
    made.append(("rejected", f"{sum(summary.rejected.values()):,}"))
    made.append(("failed", f"{len(summary.failed):,}"))
    return [{"name": name, "value": value} for name, value in made]


def _share_seen(summary: RunSummary) -> float:
    """Of all pixels that have a label."""
    labelled = [c.name for c in summary.catalog.classes if not c.void]
    seen, there = (
        sum(counts.get(name, 0) for name in labelled) for counts in (summary.seen_pixels, summary.after.pixels)
    )
    return seen / (there or 1)


def _paired_rows(
    summary: RunSummary, before: Mapping[str, int], after: Mapping[str, int], *, shares: bool
) -> list[dict[str, Any]]:
    """A row a class that occurs, most frequent first, in the order of the source maps."""
    totals = (sum(before.values()) or 1, sum(after.values()) or 1) if shares else (1, 1)
    colors = {c.name: "#{:02x}{:02x}{:02x}".format(*c.color) for c in summary.catalog.classes}
    names = [name for name in colors if before.get(name, 0) or after.get(name, 0)]
    names.sort(key=lambda name: -max(before.get(name, 0), after.get(name, 0)))
    values = {name: (before.get(name, 0) / totals[0], after.get(name, 0) / totals[1]) for name in names}
    widest = max((max(pair) for pair in values.values()), default=1.0)
    write = "{:.2%}".format if shares else "{:,.0f}".format
    return [
        {
            "name": name,
            "color": colors[name],
            "before_width": round(100 * values[name][0] / widest, 1),
            "after_width": round(100 * values[name][1] / widest, 1),
            "before": write(values[name][0]),
            "after": write(values[name][1]),
            "change": _change(values[name]),
        }
        for name in names
    ]


def _change(values: tuple[float, float]) -> str:
    before, after = values
    if before == 0:
        return "new" if after else ""
    percent = round(100 * (after / before - 1))
    return f"{percent:+d}%" if percent else "0%"


def _histogram(summary: RunSummary) -> list[dict[str, Any]]:
    if not summary.agreement:
        return []
    counts = [0] * _BINS
    for value in summary.agreement:
        counts[min(_BINS - 1, max(0, int(value * _BINS)))] += 1
    most = max(counts)
    return [
        {"height": round(100 * n / most, 1), "title": f"{i / _BINS:.2f} to {(i + 1) / _BINS:.2f}: {n}"}
        for i, n in enumerate(counts)
    ]


def _stage_rows(summary: RunSummary) -> list[dict[str, Any]]:
    longest = max(summary.stage_seconds.values(), default=0.0) or 1.0
    return [
        {"name": name, "seconds": f"{seconds:.1f}", "width": round(100 * seconds / longest, 1)}
        for name, seconds in summary.stage_seconds.items()
    ]


def _provenance(summary: RunSummary) -> list[tuple[str, str]]:
    rows = [(f"source {name}", plain(value)) for name, value in summary.source.items()]
    rows += [(f"model {name}", plain(value)) for name, value in summary.model.items()]
    rows += [(f"version of {name}", plain(value)) for name, value in summary.versions.items()]
    return rows
