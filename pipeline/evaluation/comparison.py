"""`evaluate compare`: several models or data sets side by side, from the results of their own evaluations."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError, MissingFileError
from pipeline.evaluation.results import NUMBERS
from pipeline.report.page import Page, Picture, Plot, Section, Table, Words
from pipeline.report.plots import Bar, bars
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
        """The places of the best value of a column; none where all are alike or it stands alone."""
        column = self.columns()[heading]
        known = [value for value in column if value is not None]
        if len(set(known)) < 2:
            return []
        best = min(known) if heading.endswith(" -") else max(known)
        return [place for place, value in enumerate(column) if value == best]

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
    for place in places:
        result = _read(place)
        called = str(result.get("name") or place.rstrip("/").rpartition("/")[2])
        name = called if called not in found else place
        found[name], stores[name] = result, Store(place)
    kinds = sorted({str(result["kind"]) for result in found.values()})
    if len(kinds) > 1 or kinds[0] not in _COLUMNS:
        raise InputError(f"results of kind {' and '.join(kinds)}; compare several of kind model, or several of dataset")
    return Compared(kinds[0], found, stores)


def compare_text(compared: Compared) -> str:
    """The table for a terminal."""
    columns = compared.columns()
    width = max(len(name) for name in compared.results) + 2
    lines = [" " * width + "".join(f"{heading.removesuffix(' -'):>24}" for heading in columns)]
    for place, name in enumerate(compared.results):
        lines.append(f"{name:{width}}" + "".join(f"{_number(values[place]):>24}" for values in columns.values()))
    return "\n".join(lines)


def compare_page(compared: Compared, provenance: dict[str, Any], sheet: bytes | None = None) -> Page:
    """One table, the same label maps, classes side by side, and a warning where the protocols differ."""
    columns, names = compared.columns(), list(compared.results)
    best = {heading: compared.best(heading) for heading in columns}
    rows = [
        [
            name,
            *(_number(values[place]) + (" *" if place in best[heading] else "") for heading, values in columns.items()),
        ]
        for place, name in enumerate(names)
    ]
    headings = ("", *(heading.removesuffix(" -") for heading in columns))
    sections = [
        Section("Side by side", [Table(headings, rows, note="* is the best of its column."), *_warnings(compared)]),
        *([Section("The same label maps", [Picture(sheet, "The same label maps by each model")])] if sheet else []),
        Section("IoU by class", [_class_plot(compared)]),
    ]
    lead = f"{len(names)} {'models' if compared.kind == 'model' else 'data sets'}, measured by the same protocol."
    return Page("Comparison", lead, [], sections, provenance)


def _class_plot(compared: Compared) -> Plot:
    each = {name: _at_path(result, _CLASSES[compared.kind]) or {} for name, result in compared.results.items()}
    classes = sorted(
        {c for of_one in each.values() for c in of_one}, key=lambda c: -max(o.get(c, 0) for o in each.values())
    )
    series = {name: [Bar(of_one.get(c)) for c in classes] for name, of_one in each.items()}
    return Plot(bars(classes, series, "IoU by class"))


def _warnings(compared: Compared) -> list[Words]:
    scenes = {name: result.get("scenes") or result["made"]["images"] for name, result in compared.results.items()}
    if len(set(scenes.values())) == 1:
        return []
    counts = ", ".join(f"{name} {count}" for name, count in scenes.items())
    return [Words(f"Measured on different numbers of scenes ({counts}): FID and KID do not compare.", "bad")]


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
