"""What `evaluate downstream` says: one table, one plot, the verdicts, and every class."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline.evaluation.arms import ARMS, COPY_PASTE, MIXED, MIXED_COPY_PASTE, REAL
from pipeline.evaluation.downstream import OVERALL, DownstreamResult
from pipeline.evaluation.page_parts import warnings
from pipeline.evaluation.terms import terms_section
from pipeline.evaluation.verdict import FEWEST_SEEDS, Verdict, compare, mean_and_spread, signed
from pipeline.report.page import Page, Plot, Section, Table, Tile, Words
from pipeline.report.plots import Bar, bars

_METHOD = (
    "Every arm trains the same network from the same first weights, for as many steps of as many images, with "
    "the same seeds, and is measured on the same held-out real scenes, which no arm has seen. Given are mean and "
    "standard deviation over the seeds. A difference is paired over the seeds; the interval after ± is its 95 % "
    "interval by Student's t, and a difference smaller than that is called within the noise. Classes that do not occur "
    "in the held-out scenes of a group are left out of its mean."
)
NO_NAME = "downstream"  # what a result is called when nobody says


def verdicts(result: DownstreamResult, baseline: str = REAL) -> dict[str, dict[str, Verdict]]:
    """group -> arm -> how it compares with the baseline in mean IoU."""
    return {
        group: {
            arm: compare(result.values(arm, group), result.values(baseline, group))
            for arm in result.runs
            if arm != baseline
        }
        for group in result.scenes
    }


_MARKS = "▲ better, ▼ worse, = within the noise."


def class_verdicts(result: DownstreamResult) -> dict[str, dict[str, Verdict]]:
    """group -> class -> how real + synthetic compares with real alone in its IoU; empty without that arm."""
    if MIXED not in result.runs:
        return {}
    return {
        group: {
            name: compare(result.values(MIXED, group, name), result.values(REAL, group, name))
            for name in result.classes(group)
        }
        for group in result.scenes
    }


def downstream_data(result: DownstreamResult) -> dict[str, Any]:
    """The result file."""
    return {
        "budget": asdict(result.budget),
        "seeds": result.num_seeds,
        "scenes": result.scenes,
        "resolution": str(result.resolution),
        "notes": list(result.notes),
        "trained": list(result.trained),
        "arms": {arm: {"what": ARMS[arm].what, "runs": runs} for arm, runs in result.runs.items()},
        "mean_iou": {
            arm: {group: dict(zip(("mean", "spread"), mean_and_spread(result.values(arm, group)), strict=True))
                  for group in result.scenes}
            for arm in result.runs
        },
        "verdicts": _as_data(verdicts(result)),
        "class_iou": {
            group: {
                name: {arm: mean_and_spread(result.values(arm, group, name))[0] for arm in result.runs}
                for name in result.classes(group)
            }
            for group in result.scenes
        },
        "class_verdicts": _as_data(class_verdicts(result)),
        "absent": {group: result.absent(group) for group in result.scenes},
    }  # fmt: skip


def _as_data(found: dict[str, dict[str, Verdict]]) -> dict[str, dict[str, Any]]:
    return {
        group: {name: {**asdict(verdict), "word": verdict.word} for name, verdict in of_group.items()}
        for group, of_group in found.items()
    }


def downstream_text(result: DownstreamResult) -> str:
    """The table for a terminal."""
    heading = "mean IoU ± deviation"
    width = max(map(len, (*result.runs, heading))) + 2
    lines = [f"{heading:{width}}" + "".join(f"{f'{g} ({n})':>18}" for g, n in result.scenes.items())]
    for arm in result.runs:
        lines.append(f"{arm:{width}}" + "".join(f"{_points(result.values(arm, g)):>18}" for g in result.scenes))
    if len(result.runs) > 1:
        lines.append(f"differences to {REAL} ± half of their 95 % interval:")
    for group, of_group in verdicts(result).items():
        lines += [f"{group}: {arm}: {verdict}" for arm, verdict in of_group.items()]
    for group in result.scenes:
        if result.absent(group):
            lines.append(f"{group}: never occur, left out of the mean: {', '.join(result.absent(group))}")
    return "\n".join([*lines, *result.notes])


def downstream_page(name: str, result: DownstreamResult, provenance: dict[str, Any]) -> Page:
    """One table, one plot, the verdicts, every class."""
    sections = [
        Section(
            "Mean IoU on held-out real scenes", [*warnings(result.notes), _table(result), _plot(result), _arms(result)]
        ),
        Section("Verdicts", _verdict_blocks(result)),
        Section("IoU by class", [_class_table(result, group) for group in result.scenes]),
        terms_section("segmentation network", "IoU", "points", "held-out", "arm", "seed", "within the noise"),
        Section("How it was measured", [Words(_METHOD)]),
    ]
    scenes = ", ".join(f"{group} {count}" for group, count in result.scenes.items())
    budget = result.budget
    lead = (
        f"Every arm trained the same {budget.segmenter} segmentation network with {budget.steps} steps of "
        f"{budget.batch_size} images of {result.resolution} in {budget.precision}, {result.num_seeds} seeds; "
        f"held-out scenes: {scenes}."
        f"{_share_said(result)}"
    )
    title = "Does synthetic data help?" if name == NO_NAME else f"Does synthetic data help? {name}"
    return Page(title, lead, _tiles(result), sections, provenance, _answer(result))


def _share_said(result: DownstreamResult) -> str:
    """How much of what is given to the arms that mix is not as it was recorded."""
    share, last = result.budget.share, result.budget.last_share
    if not any("+" in arm for arm in result.runs):
        return ""
    changing = "" if last is None else f", changing evenly to {last:.0%}"
    return f" Share of synthetic, pasted or re-exposed pairs where an arm mixes: {share:.0%}{changing}."


def _answer(result: DownstreamResult) -> str:
    """What a reader in a hurry takes along; nothing without the arm that is asked about."""
    if MIXED not in result.runs:
        return ""
    found = verdicts(result)
    said = _IN_WORDS.get(found[OVERALL][MIXED].word, "One seed says nothing.")
    said += f" Against real pairs alone, in points of mean IoU: {_against_real(found, MIXED)}."
    if MIXED_COPY_PASTE in result.runs:
        said += f" With objects pasted in as well: {_against_real(found, MIXED_COPY_PASTE)}."
    if COPY_PASTE in result.runs:
        said += f" What is to beat, objects pasted into real pairs alone: {_against_real(found, COPY_PASTE)}."
    return said


def _against_real(found: dict[str, dict[str, Verdict]], arm: str) -> str:
    words = {group: _with_word(of_group[arm]) for group, of_group in found.items()}
    overall = words.pop(OVERALL)
    if not words:
        return overall
    return f"{overall} over all scenes; {'; '.join(f'{group} {said}' for group, said in words.items())}"


def _with_word(verdict: Verdict) -> str:
    said = _difference_said(verdict)
    return said if verdict.half_width is None else f"{said} ({verdict.word})"


_IN_WORDS = {
    "better": "Yes: with synthetic pairs beside the real ones the network is better.",
    "worse": "No: with synthetic pairs beside the real ones the network is worse.",
    "within the noise": "Not shown: what synthetic pairs beside the real ones change is within the noise.",
}


def _tiles(result: DownstreamResult) -> list[Tile]:
    """A group each: what synthetic pairs beside the real ones change; without them, what the real ones give."""
    tiles = []
    for group, count in result.scenes.items():
        where = f"{'all scenes' if group == OVERALL else group} ({count})"
        real = _points(result.values(REAL, group))
        if MIXED not in result.runs:
            tiles.append(Tile(f"mean IoU, {where}", real, "trained on real pairs"))
            continue
        verdict = verdicts(result)[group][MIXED]
        tone = {"better": "good", "worse": "bad"}.get(verdict.word, "")
        note = f"{verdict.word}: {_points(result.values(MIXED, group))} instead of {real}"
        tiles.append(Tile(f"points of mean IoU, {where}", _difference_said(verdict), note, tone))
    return tiles


def _arms(result: DownstreamResult) -> Table:
    return Table(("arm", "trained on"), [[arm, ARMS[arm].what] for arm in result.runs], title="The arms", texts=True)


def _table(result: DownstreamResult) -> Table:
    rows = []
    found = verdicts(result)
    for arm in result.runs:
        row = [arm]
        for group in result.scenes:
            row.append(_points(result.values(arm, group)))
            row.append("" if arm == REAL else _difference(found[group][arm]))
        rows.append(row)
    headings = ["trained on"]
    for group, count in result.scenes.items():
        headings += [f"{group} ({count})", "change"]
    note = (
        "Mean IoU in percent, mean ± standard deviation over the seeds; in brackets, the number of scenes. Change: "
        f"points against {REAL}. {_MARKS}"
    )
    return Table(headings, rows, note=note)


def _plot(result: DownstreamResult) -> Plot:
    arms = list(result.runs)
    series = {group: [_bar(result.values(arm, group)) for arm in arms] for group in result.scenes}
    drawn = bars(arms, series, "Mean IoU by arm and group", digits=1)
    caption = "Bars: mean over the seeds, in percent. Lines: ± one standard deviation."
    return Plot(drawn, caption, "Mean IoU by arm and group of scenes")


def _verdict_blocks(result: DownstreamResult) -> Sequence[Table | Words]:
    blocks: list[Table | Words] = []
    if result.num_seeds < FEWEST_SEEDS:
        blocks.append(Words(f"{result.num_seeds} seeds are too few for a verdict; at least {FEWEST_SEEDS}.", "bad"))
    if len(result.runs) == 1:
        return [*blocks, Words(f"Only {REAL} was trained: there is nothing to compare it with.")]
    against_copies = verdicts(result, COPY_PASTE) if COPY_PASTE in result.runs else {}
    made = [arm for arm in (MIXED, MIXED_COPY_PASTE) if arm in result.runs]
    rows: list[list[str]] = []
    strong: list[int] = []
    for group, of_group in verdicts(result).items():
        of_copies = [(arm, COPY_PASTE, against_copies[group][arm]) for arm in made] if against_copies else []
        for arm, baseline, verdict in [*((arm, REAL, verdict) for arm, verdict in of_group.items()), *of_copies]:
            if (arm, baseline) == (MIXED, REAL):
                strong.append(len(rows))
            rows.append(["all" if group == OVERALL else group, arm, baseline, _difference_said(verdict), verdict.word])
    headings = ("held-out scenes", "trained on", "against", "points", "verdict")
    return [*blocks, Table(headings, rows, strong=strong, texts=True)]


def _difference_said(verdict: Verdict) -> str:
    return signed(verdict.points) + ("" if verdict.half_width is None else f" ± {verdict.half_width:.1f}")


def _title(group: str) -> str:
    return "All held-out scenes" if group == OVERALL else f"Held-out scenes: {group}"


def _class_table(result: DownstreamResult, group: str) -> Table:
    arms = list(result.runs)
    rows = [[name, *(_points(result.values(arm, group, name)) for arm in arms)] for name in result.classes(group)]
    rows.append(["mean", *(_points(result.values(arm, group)) for arm in arms)])
    if MIXED in result.runs:
        of_classes = [*class_verdicts(result)[group].values(), verdicts(result)[group][MIXED]]
        rows = [[*row, _difference(verdict)] for row, verdict in zip(rows, of_classes, strict=True)]
        arms.append(f"{MIXED} to {REAL}")
    absent = result.absent(group)
    note = f"Never occur, and are left out: {', '.join(absent)}. {_MARKS}" if absent else _MARKS
    return Table(("class", *arms), rows, note=note, strong=(len(rows) - 1,), title=_title(group))


def _points(values: Sequence[float]) -> str:
    mean, spread = mean_and_spread([100 * value for value in values])
    return f"{mean:.1f} ± {spread:.1f}" if len(values) > 1 else f"{mean:.1f}"


def _difference(verdict: Verdict) -> str:
    mark = "" if verdict.half_width is None else " =" if verdict.within_noise else " ▲" if verdict.points > 0 else " ▼"
    return f"{signed(verdict.points)}{mark}"


def _bar(values: Sequence[float]) -> Bar:
    return Bar(*mean_and_spread([100 * value for value in values]))
