"""`evaluate compare`: several models or data sets side by side, from the results of their own evaluations."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError, MissingFileError
from pipeline.evaluation.comparison_sheet import SharedScene, colors_shown
from pipeline.evaluation.page_parts import iou_plot
from pipeline.evaluation.results import NUMBERS
from pipeline.evaluation.terms import terms_section
from pipeline.report.html import three_digits
from pipeline.report.page import Page, Plot, Section, Sheet, Table, Words
from pipeline.storage import Store

# What stands in a column, and where it stands in the result file; `-` marks what is better when it is smaller.
_MODEL_COLUMNS = {
    "mean IoU": ("rendered", "mean_iou"),
    "of real": ("share_of_real",),
    "pixel accuracy": ("rendered", "pixel_accuracy"),
    "FID (segmenter) -": ("fid_segmenter",),
    "KID (segmenter) -": ("kid_segmenter",),
    "FID (Inception) -": ("fid_inception",),
    "KID (Inception) -": ("kid_inception",),
    "diversity (segmenter)": ("diversity_segmenter",),
    "diversity (LPIPS)": ("diversity_lpips_alex",),
    "outlines met": ("boundary_agreement", "rendered"),
    "parameters -": ("cost", "parameters"),
    "s/image -": ("cost", "seconds_an_image"),
    "MB of tensors -": ("cost", "peak_memory_mb"),
}
_DATASET_COLUMNS = {
    "mean agreement": ("made", "agreement_mean"),
    "mean IoU": ("made", "scores", "mean_iou"),
    "FID (segmenter) -": ("fid_segmenter",),
    "KID (segmenter) -": ("kid_segmenter",),
    "FID (Inception) -": ("fid_inception",),
    "KID (Inception) -": ("kid_inception",),
    "near-duplicates -": ("near_duplicates",),
}
_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {"model": _MODEL_COLUMNS, "dataset": _DATASET_COLUMNS}
_CLASSES = {"model": ("rendered", "class_iou"), "dataset": ("made", "scores", "class_iou")}
_FIRST = {"model": "mean IoU", "dataset": "mean agreement"}
_SHARES = ("mean IoU", "of real", "pixel accuracy", "outlines met", "mean agreement")
_DISTANCES = ("FID", "KID")
_COUNTS = ("near-duplicates",)
_MEANING = {
    "mean IoU": "mean IoU of the judge",
    "of real": "mean IoU, of that on real images",
    "pixel accuracy": "pixels found again",
    "mean agreement": "mean agreement",
    "outlines met": "instance outlines met",
    "s/image -": "seconds an image",
    "MB of tensors -": "MB of tensors at most",
}
_LESS = "↓"
_METHOD = (
    "The numbers are those of evaluations that were made before, each described on its own page. They compare where "
    "all were made with the same scenes, size and judge; where they were not, a warning says so."
)


@dataclass(frozen=True)
class Compared:
    """The results of one kind, by name."""

    kind: str
    results: Mapping[str, Mapping[str, Any]]
    stores: Mapping[str, Store]

    def columns(self) -> dict[str, list[float | None]]:
        """Every column that any of them was measured on."""
        whole = {
            heading: [_at(result, path) for result in self.results.values()]
            for heading, path in _COLUMNS[self.kind].items()
        }
        return {heading: values for heading, values in whole.items() if any(v is not None for v in values)}

    def best(self, heading: str) -> list[int]:
        """The places of the best value of a column; none where all are alike or nothing compares."""
        if _unlike(self) or (heading.startswith(_DISTANCES) and len(set(self.scenes().values())) > 1):
            return []
        column = self.columns()[heading]
        known = [value for value in column if value is not None]
        if len(set(known)) < 2:
            return []
        best = min(known) if heading.endswith(" -") else max(known)
        return [place for place, value in enumerate(column) if value == best]

    def scenes(self) -> dict[str, int]:
        """How many each was measured on."""
        return {name: result.get("scenes") or result["made"]["images"] for name, result in self.results.items()}

    def header(self) -> tuple[str, ...]:
        """What stands above `rows`."""
        return ("measure", *self.results)

    def rows(self) -> list[list[str]]:
        """A row a measure, as text; the best of each is marked."""
        rows = []
        for heading, values in self.columns().items():
            best = self.best(heading)
            name, less = heading.removesuffix(" -"), f" {_LESS}" if heading.endswith(" -") else ""
            cells = [_cell(name, value) + (" *" if place in best else "") for place, value in enumerate(values)]
            rows.append([f"{_MEANING.get(heading, name)}{less}", *cells])
        return rows

    def legend(self) -> str:
        """What the marks mean."""
        best = "* is the best of its row; " if any(map(self.best, self.columns())) else ""
        return f"{best}{_LESS}: less is better. Small differences may be luck."

    def as_data(self) -> dict[str, Any]:
        """Name -> column -> value."""
        columns = self.columns()
        return {
            name: {heading.removesuffix(" -"): values[place] for heading, values in columns.items()}
            for place, name in enumerate(self.results)
        }


def read_results(places: Sequence[str]) -> Compared:
    """The results in these folders; InputError where one has none, or they are of two kinds."""
    found: dict[str, Mapping[str, Any]] = {}
    stores: dict[str, Store] = {}
    for place in (given.removesuffix(f"/{NUMBERS}") for given in places):
        result = _read(place)
        called = str(result.get("name") or place.rstrip("/").rpartition("/")[2])
        name = called if called not in found else place
        found[name], stores[name] = result, Store(place)
    kinds = sorted({str(result["kind"]) for result in found.values()})
    if len(kinds) > 1 or kinds[0] not in _COLUMNS:
        raise InputError(f"results of kind {' and '.join(kinds)}; compare several of kind model, or several of dataset")
    needed = _CLASSES[kinds[0]]
    for name, result in found.items():
        if _at_path(result, needed) is None:
            raise InputError(f"{stores[name].place(NUMBERS)}: damaged: no {'.'.join(needed)}")
    if len(found) < 2:
        raise InputError(f"{' '.join(places)}: one result alone; give the folders of two or more to compare")
    return Compared(kinds[0], found, stores)


def compare_text(compared: Compared) -> str:
    """The table for a terminal: a line a measure, as on the page."""
    heading, *rows = [list(compared.header()), *compared.rows()]
    widths = [max(len(row[column]) for row in (heading, *rows)) + 2 for column in range(len(heading))]
    lines = [
        f"{row[0]:{widths[0]}}" + "".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in (heading, *rows)
    ]
    said = [f"warning: {text}" for text in warnings_of(compared)]
    return "\n".join([*lines, compared.legend(), *said])


def compare_page(compared: Compared, provenance: dict[str, Any], scenes: Sequence[SharedScene] = ()) -> Page:
    """One table, the same label maps, classes side by side, and a warning where the protocols differ."""
    names, warnings = list(compared.results), warnings_of(compared)
    answer = _answer(compared)
    shown = [(scene.key, scene.shots()) for scene in scenes]
    colors = colors_shown(compared.results, scenes)
    sections = [
        Section("Side by side", [*(Words(text, "bad") for text in warnings if text != answer), _table(compared)]),
        *([Section("The same label maps", [Sheet(shown, colors=colors)])] if shown else []),
        Section("IoU by class", [_class_plot(compared)]),
        terms_section("judge", "IoU", *(["agreement"] if compared.kind == "dataset" else ["diversity"]), "FID", "KID"),
        Section("How it was measured", [Words(_METHOD)]),
    ]
    kind = "models" if compared.kind == "model" else "data sets"
    lead = f"{len(names)} {kind}, {'not all measured in the same way' if warnings else 'measured in the same way'}."
    *others, last = names
    return Page(f"Comparison of {', '.join(others)} and {last}", lead, [], sections, provenance, answer)


def _answer(compared: Compared) -> str:
    """Who is first in what matters most; where the scores do not compare, that they do not."""
    if said := _unlike(compared):
        return said
    heading = _FIRST[compared.kind]
    columns = compared.columns()
    best = compared.best(heading) if heading in columns else []
    if not best:
        return ""
    first, *others = sorted(
        ((value, name) for value, name in zip(columns[heading], compared.results, strict=True) if value is not None),
        reverse=True,
    )
    behind = ", ".join(f"{name} {value:.0%}" for value, name in others)
    return f"{first[1]} comes first in {_MEANING[heading]}: {first[0]:.0%}, before {behind}."


def _table(compared: Compared) -> Table:
    return Table(compared.header(), compared.rows(), note=compared.legend())


def _cell(name: str, value: float | None) -> str:
    if value is None or name in _COUNTS:
        return _number(value)
    if name == "parameters":
        return f"{value / 1e6:.2f} M"
    return f"{value:.1%}" if name in _SHARES else three_digits(value)


def _class_plot(compared: Compared) -> Plot:
    each = {name: _at_path(result, _CLASSES[compared.kind]) or {} for name, result in compared.results.items()}
    most = {c: max(of_one.get(c, 0.0) for of_one in each.values()) for of_one in each.values() for c in of_one}
    return iou_plot(sorted(most, key=lambda c: -most[c]), each, " in all of them")


def warnings_of(compared: Compared) -> list[str]:
    """What differs between the measurements, and what therefore does not compare."""
    scenes = compared.scenes()
    said = [_unlike(compared)]
    if len(set(scenes.values())) > 1:
        said.append(f"Measured on different numbers of scenes ({_each(scenes)}): FID and KID do not compare.")
    return [text for text in said if text]


def _unlike(compared: Compared) -> str:
    """Why no score compares; empty where they do."""
    sizes = {name: result.get("resolution") for name, result in compared.results.items()}
    if len(set(sizes.values())) > 1:
        return f"Measured at different sizes ({_each(sizes)}): the scores do not compare."
    if len({result.get("judge") for result in compared.results.values()}) > 1:
        return (
            "Measured by different judges: the scores do not compare. Measure all of them with the same real pairs "
            "and a --seed that taught none of the generators."
        )
    return ""


def _each(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {'unknown' if value is None else value}" for name, value in values.items())


def _read(place: str) -> Mapping[str, Any]:
    try:
        result = json.loads(Store(place).read(NUMBERS))
    except MissingFileError:
        raise InputError(
            f"{place}: no {NUMBERS}; give folders that evaluate model or evaluate dataset wrote (their --out)"
        ) from None
    except ValueError as error:
        raise InputError(f"{place}/{NUMBERS}: not JSON: {error}") from None
    if not isinstance(result, dict) or "kind" not in result:
        raise InputError(f"{place}/{NUMBERS}: not a result of synthgen evaluate")
    return result


def _at(result: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    value = _at_path(result, path)
    return None if value is None else float(value)


def _at_path(result: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = result
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and value > 1 else f"{value:.3g}"
