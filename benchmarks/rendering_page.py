"""The rendering tables of docs/performance.md, from the results that bench_inference.py wrote.

python benchmarks/rendering_page.py            # write the tables anew from benchmarks/results/rendering-*.json
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- rendering: made by `python benchmarks/rendering_page.py` -->", "<!-- end of rendering -->"
HEAD = (
    "| network | size | way | s/image | ratio | GMAC/s | of matrix rate | PSNR | process, GiB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE} has no place for the tables: {BEGIN} to {END}")
    made = "\n".join(part for path in sorted(RESULTS.glob("rendering-*.json")) for part in section(path))
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


def section(path: Path) -> Iterator[str]:
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
