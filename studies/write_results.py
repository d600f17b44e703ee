"""Writes docs/results.md from the result files, so that no number in it is typed by hand.

python studies/write_results.py
"""

import json
from pathlib import Path
from typing import Any

from pipeline.evaluation.arms import COPY_PASTE, MIXED, REAL
from pipeline.evaluation.verdict import compare

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "studies" / "results"
PAGE = ROOT / "docs" / "results.md"
PUBLISHED = ROOT / "studies" / "published.json"

_HEAD = """\
# Results

Made by `python studies/write_results.py` from the files in `studies/results/`; every table names the command, the
commit, the device and the day of its last run, which goes on with the trainings that earlier ones kept. Differences
are paired over seeds; ± after a difference is half its 95 % interval, and one that is smaller is called within the
noise. FID named segmenter is a distance in the features of the segmentation network of that study, and does not
compare with published ones.
"""

_NOTHING = """
No study has been run yet. `python studies/streetscapes_riders.py` needs two cores and about twenty minutes;
`python studies/camvid_dusk.py --data CAMVID` some hours, or a GPU and `--budget full`.
"""


def main() -> None:
    PAGE.write_text(document(read(RESULTS)), encoding="utf-8")


def read(folder: Path) -> list[dict[str, Any]]:
    """Every result file, in order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def document(results: list[dict[str, Any]]) -> str:
    """The page."""
    writers = {
        "model": _model,
        "dataset": _dataset,
        "downstream": _downstream,
        "compare": _compare,
        "quality_gate": _gate,
        "families": _families,
    }
    parts = [_HEAD, *([] if results else [_NOTHING])]
    for result in results:
        heading = f"\n## {result['study'].replace('_', ' ')}\n\n{_origin(result)}\n\n"
        parts.append(f"{heading}{writers[result['kind']](result)}{_beside_fewer_steps(result, results)}")
    return "".join(parts)


def _origin(result: dict[str, Any]) -> str:
    made = result["provenance"]
    budget = result.get("budget")
    learned = f", in {budget['precision']}" if isinstance(budget, dict) and "precision" in budget else ""
    said = f"`{made['command']}`, commit {made['commit']}, {made['device']}{learned}, {made['date']}."
    others = sorted({each["commit"] for each in result.get("trained", [])} - {made["commit"]})
    return f"{said} Trainings that were kept: commit {', '.join(others)}." if others else said


def _downstream(result: dict[str, Any]) -> str:
    groups = list(result["scenes"])
    lines = [_row("trained on", *(f"{g} ({result['scenes'][g]})" for g in groups)), _row(*["---"] * (len(groups) + 1))]
    for arm, of_arm in result["mean_iou"].items():
        cells = [f"{100 * of_arm[g]['mean']:.1f} ± {100 * of_arm[g]['spread']:.1f}" for g in groups]
        lines.append(_row(arm, *cells))
    lines.append("\nPoints of mean IoU on held-out real scenes, mean and deviation over "
                 f"{result['seeds']} seeds. Against real alone:\n")  # fmt: skip
    for group in groups:
        for arm, verdict in result["verdicts"][group].items():
            spread = "" if verdict["half_width"] is None else f" ± {verdict['half_width']:.1f}"
            lines.append(f"- {group}, {arm}: {verdict['points']:+.1f}{spread}, {verdict['word']}")
    lines += _against_copy_paste(result)
    if "goal" in result.get("settings", {}):
        lines += ["", *_goal(result)]
    for group in result.get("class_verdicts", {}):
        lines += ["", *_classes(result, group)]
    return "\n".join([*lines, *(f"- note: {note}" for note in result["notes"]), ""])


def _beside_fewer_steps(result: dict[str, Any], results: list[dict[str, Any]]) -> str:
    """A variation that trains for longer than real pairs alone can bear, beside those of its study."""
    lines = []
    for study in [other for other in results if _is_of_study(result, other)]:
        steps, more = (each["settings"]["segmenter_steps"] for each in (study, result))
        if more <= steps:
            continue
        real = {group: compare(*_paired(result, study, REAL, group)) for group in result["scenes"]}
        if all(verdict.points > 0 for verdict in real.values()):
            continue
        precise = sorted({_precision(result), _precision(study)})
        mixed = f" (in {_precision(study)}; those compared with it in {_precision(result)})" if len(precise) > 1 else ""
        lines.append(f"\nAgainst real alone after {steps} steps, as in {study['study'].replace('_', ' ')}{mixed}:\n")
        lines += [
            f"- {group}, {arm} after {more}: {compare(*_paired(result, study, arm, group))}"
            for group in result["scenes"]
            for arm in result["arms"]
        ]
    return "\n".join([*lines, ""]) if lines else ""


def _paired(result: dict[str, Any], study: dict[str, Any], arm: str, group: str) -> list[list[float]]:
    """Mean IoU of an arm of one and of the real pairs of the other, seed by seed, where both have the seed."""
    both = [_runs(each, of_each) for each, of_each in ((result, arm), (study, REAL))]
    seeds = min(map(len, both))
    return [[run[group]["mean_iou"] for run in runs[:seeds]] for runs in both]


def _precision(result: dict[str, Any]) -> str:
    budget = result.get("budget")
    return str(budget.get("precision", "float32")) if isinstance(budget, dict) else "float32"


def _is_of_study(result: dict[str, Any], study: dict[str, Any]) -> bool:
    """Whether a downstream result is a variation of a study, measured on the same scenes."""
    if not result["kind"] == study["kind"] == "downstream" or result is study:
        return False
    return result["study"].startswith(study["study"].removesuffix("downstream")) and result["scenes"] == study["scenes"]


def _goal(result: dict[str, Any]) -> list[str]:
    """What the study is after, and whether every arm with synthetic pairs beside real ones reached it: in the mean of
    the seeds, or even at the unfavourable end of the 95 % interval."""
    goal, lines = result["settings"]["goal"], []
    for arm in _with_synthetic(result):
        gain, kept = (result["verdicts"][goal[group]][arm] for group in ("group", "kept"))
        of_class = compare(
            *([run[goal["group"]]["class_iou"][goal["class"]] for run in _runs(result, of)] for of in (arm, REAL))
        )
        parts = {
            f"better on {goal['group']}": _reached(gain["points"], gain["half_width"], 0.0),
            f"{goal['points']:+g} points there": _reached(gain["points"], gain["half_width"], goal["points"]),
            f"{goal['class']} IoU up there ({of_class})": _reached(of_class.points, of_class.half_width, 0.0),
            f"{goal['kept']} not down by more than {goal['lost']:g}": _reached(
                kept["points"], kept["half_width"], -goal["lost"]
            ),
        }
        lines.append(f"- goal of {arm}: {'; '.join(f'{part}: {said}' for part, said in parts.items())}")
    return lines


def _reached(points: float, half_width: float | None, least: float) -> str:
    if points < least:
        return "not reached"
    return (
        "reached beyond the noise"
        if half_width is not None and points - half_width >= least
        else "reached in the mean alone"
    )


def _against_copy_paste(result: dict[str, Any]) -> list[str]:
    """Pasting real objects is what synthetic pairs have to beat."""
    if COPY_PASTE not in result.get("arms", {}):
        return []
    lines = [
        f"- {group}, {arm}: "
        + str(compare(*([run[group]["mean_iou"] for run in _runs(result, of)] for of in (arm, COPY_PASTE))))
        for group in result["scenes"]
        for arm in _with_synthetic(result)
    ]
    return ["", f"Against {COPY_PASTE}:", "", *lines] if lines else []


def _with_synthetic(result: dict[str, Any]) -> list[str]:
    return [arm for arm in result["arms"] if arm.startswith(MIXED)]


def _runs(result: dict[str, Any], arm: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result["arms"][arm]["runs"]
    return found


def _classes(result: dict[str, Any], group: str) -> list[str]:
    """IoU of every class in a group of held-out scenes, and what real + synthetic changes in it."""
    of_classes = result["class_iou"][group]
    arms = list(result["mean_iou"])
    lines = [_row(f"IoU, {group}", *arms, "real + synthetic to real"), _row(*["---"] * (len(arms) + 2))]
    for name, values in of_classes.items():
        verdict = result["class_verdicts"][group][name]
        spread = "" if verdict["half_width"] is None else f" ± {verdict['half_width']:.1f}"
        change = f"{verdict['points']:+.1f}{spread}, {verdict['word']}"
        lines.append(_row(name, *(f"{100 * values[arm]:.1f}" for arm in arms), change))
    absent = result["absent"][group]
    return [*lines, *([f"\nNever occur, left out of the mean: {', '.join(absent)}."] if absent else [])]


def _model(result: dict[str, Any]) -> str:
    lines = [_row("", "rendered", "real"), _row("---", "---", "---")]
    for name, key in (("mean IoU", "mean_iou"), ("pixel accuracy", "pixel_accuracy")):
        lines.append(_row(name, f"{result['rendered'][key]:.3f}", f"{result['real'][key]:.3f}"))
    if "fid_segmenter" in result:
        floor = result["fid_segmenter_of_real_halves"]
        lines.append(_row("FID (segmenter); between real halves", f"{result['fid_segmenter']:.3g}", f"{floor:.3g}"))
    return "\n".join([*lines, ""])


def _dataset(result: dict[str, Any]) -> str:
    lines = [_row("", "data set", "real"), _row("---", "---", "---")]
    both = (result["made"], result["real"])
    lines.append(_row("images", *(str(side["images"]) for side in both)))
    lines.append(_row("mean agreement", *(f"{side['agreement_mean']:.3f}" for side in both)))
    lines.append(_row("mean IoU of the judge", *(f"{side['scores']['mean_iou']:.3f}" for side in both)))
    for name, real in both[1]["scores"]["class_iou"].items():
        made = both[0]["scores"]["class_iou"].get(name)
        lines.append(_row(f"IoU of the judge, {name}", "absent" if made is None else f"{made:.3f}", f"{real:.3f}"))
    lines.append(_row("near-duplicates", str(result["near_duplicates"]), ""))
    if len(result.get("likeness", {})) > 1:
        lines += ["", _row("to real images", "count", "FID (segmenter)", "colour distance", "sharpness of real")]
        lines.append(_row(*["---"] * 5))
        for group, found in result["likeness"].items():
            fid = f"{found['fid_segmenter']:.3g}" if "fid_segmenter" in found else "-"
            numbers = (f"{found['color_distance']:.1f}", f"{found['sharpness_of_real']:.0%}")
            lines.append(_row(group, str(found["images"]), fid, *numbers))
    return "\n".join([*lines, ""])


def _compare(result: dict[str, Any]) -> str:
    """Families side by side, and below what their authors publish, on their data."""
    settings, compared = result["settings"], result["compared"]
    columns = list(next(iter(compared.values())))
    lines = [_row("", "steps", *columns), _row(*["---"] * (len(columns) + 2))]
    for name, values in compared.items():
        steps = str(settings["trained"][name]["steps"])
        lines.append(_row(name, steps, *(_number(values[column]) for column in columns)))
    lines.append(f"\n{settings['device_seconds']:g} device-seconds of training a family at {settings['resolution']}, "
                 f"{settings['scenes']} held-out scenes at most.\n")  # fmt: skip
    changed = {name: of.get("changed", {}) for name, of in settings["trained"].items()}
    said = [f"{name} {key}: {value}" for name, of in changed.items() for key, value in of.items()]
    lines += [f"Changed in a family's config for this size: {'; '.join(said)}.\n"] if said else []
    lines.append(f"![label map, photograph, and a rendering by each family](../studies/results/{settings['sheet']})")
    for published in json.loads(PUBLISHED.read_text(encoding="utf-8")):
        lines += _published(published, compared)
    return "\n".join([*lines, ""])


def _published(published: dict[str, Any], compared: dict[str, Any]) -> list[str]:
    """A table of the authors' own, and how its order and ours compare."""
    families, columns = published["families"], published["columns"]
    lines = [f"\nPublished, not comparable with the above ({published['data']}; {published['by']}):\n"]
    lines += [_row("", *columns), _row(*["---"] * (len(columns) + 1))]
    lines += [_row(name, *("-" if v is None else f"{v:g}" for v in of)) for name, of in families.items()]
    both = [name for name in families if name in compared]
    ours = sorted(both, key=lambda name: -(compared[name].get("mean IoU") or 0))
    theirs = sorted(both, key=lambda name: -families[name][0])
    return [*lines, f"\nBy mean IoU, ours: {', '.join(ours)}; published: {', '.join(theirs)}."]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _gate(result: dict[str, Any]) -> str:
    lines = [_row("spoilt by", "precision", "recall", "recall of a random gate", "ranked right"), _row(*["---"] * 5)]
    for name, found in result["gate"].items():
        cells = (f"{found[key]:.2f}" for key in ("precision", "recall", "random_recall", "ranked_right"))
        lines.append(_row(name.replace("_", " "), *cells))
    lines.append(
        f"\n{result['spoilt']} of {result['images']} images spoilt, the precision of a gate that rejects at random is "
        f"{result['spoilt'] / result['images']:.2f}. min_agreement {result['min_agreement']:.3f} rejects "
        f"{result['sound_lost_there']:.0%} of {result['set_on']} other images, none of them spoilt, and "
        f"{result['sound_lost']:.0%} of the unspoilt ones here."
    )
    if "model" in result:
        made = result["model"]
        lines.append(
            f"The images are renderings by a {made['family']} of {made['steps']} steps on {made['pairs']} pairs, at "
            f"{result['resolution']}; some are bad without being spoilt, and count as wrongly rejected."
        )
    return "\n".join([*lines, ""])


def _families(result: dict[str, Any]) -> str:
    lines = [
        f"{result['cpu_seconds_a_family']:g} s of CPU time a family on {result['scenes']} scenes at {result['size']}; "
        f"mean IoU of a segmenter that was taught on real images, on {result['measured']} held-out scenes. On the real "
        f"images of these scenes it has {result['real']['mean_iou']:.3f}.\n",
        _row("family", "parameters", "steps", "before training", "after", "pixel accuracy after"),
        _row(*["---"] * 6),
    ]
    for one in result["families"]:
        scores = (f"{one[key]:.3f}" for key in ("mean_iou_before", "mean_iou", "pixel_accuracy"))
        lines.append(_row(one["family"], f"{one['parameters']:,}", str(one["steps"]), *scores))
    return "\n".join([*lines, ""])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
