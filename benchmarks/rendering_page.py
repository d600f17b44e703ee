"""The tables of docs/performance.md for rendering and training, from what their benchmarks wrote.

python benchmarks/rendering_page.py    # write them anew from benchmarks/results/rendering-*.json and training-*.json
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- {}: made by `python benchmarks/rendering_page.py` -->", "<!-- end of {} -->"
HEAD = (
    "| network | size | way | s/image | ratio | GMAC/s | of matrix rate | PSNR | process, GiB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


TRAINING_HEAD = "| family | size | way | steps/s | ratio | process, GiB | ratio |\n|---|---|---|---|---|---|---|"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind, section in (("rendering", rendering), ("training", training)):
        made = "\n".join(part for path in sorted(RESULTS.glob(f"{kind}-*.json")) for part in section(path))
        page = with_tables(page, kind, made)
    PAGE.write_text(page, encoding="utf-8")


def with_tables(page: str, kind: str, made: str) -> str:
    """The page with these tables between its marks."""
    begin, end = BEGIN.format(kind), END.format(kind)
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE} has no place for the tables: {begin} to {end}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def training(path: Path) -> Iterator[str]:
    """One file of training speeds: where it came from, and its table."""
    result = json.loads(path.read_text(encoding="utf-8"))
    yield f"\n    {result['command']}\n"
    yield (
        f"{result['date']}, commit {result['commit']}, {result['device']}, {result['threads']} threads, torch "
        f"{result['torch']}; {result['time']}; {result['share']:g} of the published width.\n"
    )
    yield TRAINING_HEAD
    for row in result["rows"]:
        cells = (
            row["family"],
            row["resolution"],
            row["way"],
            f"{1 / row['step_s']:.3g}",
            f"{row['speed_ratio']:.2f}x",
            f"{row['memory_gib']:.2f}",
            f"{row['memory_ratio']:.2f}x",
        )
        yield f"| {' | '.join(cells)} |"


def rendering(path: Path) -> Iterator[str]:
    """One file of results: where it came from, and its table."""
    result = json.loads(path.read_text(encoding="utf-8"))
    rates = ", ".join(f"{name} {rate:.0f} GMAC/s" for name, rate in result["matrix_gmac_per_s"].items())
    yield f"\n    {result['command']}\n"
    yield (
        f"{result['date']}, commit {result['commit']}, {result['device']}, {result['threads']} threads, torch "
        f"{result['torch']}; {result['time']}; matrix products: {rates}.\n"
    )
    if "note" in result:
        yield f"{result['note']}\n"
    yield HEAD
    yield from (line(row) for row in result["rows"])


def line(row: dict[str, Any]) -> str:
    way = row["way"]
    if row.get("further_style_ratio"):
        way += f" (each after the first: {row['further_style_ratio']:.1f}x)"
    if "network_s_per_image" in row:
        alone = row["network_s_per_image"]
        way += f" (the network alone: {alone * 1e3:.2f} ms, {row['network_share_of_matrix_rate']:.0%})"
    psnr = f"{row['psnr_db']:.0f} dB" if "psnr_db" in row else ""
    memory = f"{row['process_peak_gib']:.1f}" if "process_peak_gib" in row else ""
    width = "" if row["share"] == 1 else f" at {row['share']:g} width"
    cells = (
        row["subject"] + width,
        row["resolution"],
        way,
        f"{row['seconds_per_image']:.3g}",
        f"{row['ratio']:.2f}x",
        f"{row['gmac_per_s']:.0f}",
        f"{row['share_of_matrix_rate']:.0%}",
        psnr,
        memory,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
