"""The report of a training: one HTML file in the model directory, written again with every checkpoint."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.console import duration
from pipeline.model_directory import SAMPLES
from pipeline.report.curves import curve
from pipeline.report.page import Page, Picture, Plot, Section, Tile, Words
from pipeline.storage import Store
from pipeline.training.history import History
from pipeline.training.job import Job

if TYPE_CHECKING:
    from pipeline.training.keeper import Best

_PICTURES = 6
_PICTURE_PX = 1056
_JPEG_QUALITY = 88
_LOSSES = {
    "generator": (
        "What the network that renders is taught to make small, a curve a term. The adversarial term need not fall: it "
        "weighs the renderer against its opponent, and both learn."
    ),
    "discriminator": (
        "The losses, on both, of the network that tells renderings from photographs. They need not fall: the better "
        "the renderings get, the harder its task."
    ),
}


def training_report(
    job: Job, store: Store, history: History, step: int, notes: Sequence[str], best: "Best | None"
) -> str:
    """The page as it stands at this step."""
    going_on = "done" if step >= job.steps else f"of {job.steps:,}"
    return Page(
        title=f"Training of {job.name}",
        answer=_answer(history, best),
        lead=f"{job.family} at {job.views.resolution} on {job.source.format}: {step:,} steps, {going_on}.",
        tiles=_tiles(history, best),
        sections=[*_stages(job), *_pictures(store), *_curves(history, best), *_notes(notes)],
        provenance=job.settings,
    ).to_html()


def _answer(history: History, best: "Best | None") -> str:
    """How near the renderings come to photographs, and whether they still come nearer."""
    if not history.measured or best is None:
        return ""
    last, now = history.measured[-1]
    if best.step == last:
        return (
            f"At step {last:,} the renderings are nearer to photographs than at any step before: patch distance "
            f"{now:.3f} (less is nearer). More steps may bring them nearer still."
        )
    return (
        f"The renderings were nearest to photographs at step {best.step:,}: patch distance {best.distance:.3f}, and "
        f"{now:.3f} at step {last:,} (less is nearer)."
    )


def _tiles(history: History, best: "Best | None") -> list[Tile]:
    rows = history.rows
    tiles = []
    if history.measured:
        tiles.append(Tile("patch distance, last", f"{history.measured[-1][1]:.3f}", "less is nearer to photographs"))
    if best is not None:
        tiles.append(Tile("patch distance, best", f"{best.distance:.3f}", f"at step {best.step:,}"))
    if rows:
        seconds = _steps_apart(history) * sum(row["step_s"] for row in rows)
        tiles += [
            Tile("images a second", f"{rows[-1]['images_per_s']:.3g}", "at the end"),
            Tile("waiting for data", f"{sum(row['waited_share'] for row in rows) / len(rows):.1%}", "of the time"),
            Tile("in training steps", duration(seconds)),
        ]
    return tiles


def _steps_apart(history: History) -> float:
    return history.rows[-1]["step"] / len(history.rows)


def _stages(job: Job) -> list[Section]:
    if not job.before:
        return []
    words = [
        Words(f"{stage.steps:,} steps at {stage.views.resolution}{', the coarse part frozen' * stage.freeze_coarse}")
        for stage in job.stages
    ]
    return [Section("Stages", words)]


def _curves(history: History, best: "Best | None") -> list[Section]:
    rows = history.rows
    names = list(dict.fromkeys(name for row in rows for name in row))
    sections = []
    for player in ("generator", "discriminator"):
        series = {
            name.partition("/")[2]: [(row["step"], row[name]) for row in rows if name in row]
            for name in names
            if name.startswith(f"{player}/")
        }
        if not series:
            continue
        # Terms of other sizes need scales of their own to be seen.
        plots = [
            Plot(curve(points, f"{player}: {name}"), title=name.replace("_", " ")) for name, points in series.items()
        ]
        sections.append(Section(f"Losses of the {player}", [Words(_LOSSES[player]), *plots]))
    if history.measured:
        caption = "Sliced Wasserstein distance of patches to those of photographs, class by class; less is nearer."
        plot = Plot(curve(history.measured, "patch distance", best.step if best else None), caption)
        sections.insert(0, Section("Distance to photographs", [plot]))
    speed = [(row["step"], row["images_per_s"]) for row in rows]
    waiting = [(row["step"], 100 * row["waited_share"]) for row in rows]
    plots = [
        Plot(curve(speed, "images a second"), title="Images a second"),
        Plot(curve(waiting, "waiting for data"), title="Time spent waiting for data, in percent"),
    ]
    return [*sections, Section("Speed", plots)] if rows else []


def _pictures(store: Store) -> list[Section]:
    paths = [file.path for file in store.list(SAMPLES) if re.fullmatch(rf"{SAMPLES}/step-\d+\.png", file.path)]
    chosen = sorted({round(i * (len(paths) - 1) / (_PICTURES - 1)) for i in range(_PICTURES)}) if paths else []
    blocks = [_picture(store, paths[index]) for index in chosen]
    words = Words("Label map, photograph, rendering in the photograph's own style.")
    return [Section("Pictures over time", [words, *blocks])] if blocks else []


def _picture(store: Store, path: str) -> Picture:
    step = int(path.rpartition("-")[2].partition(".")[0])
    picture = cv2.imdecode(np.frombuffer(store.read(path), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    scale = min(1.0, _PICTURE_PX / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return Picture(jpeg.tobytes(), f"samples of step {step}", f"step {step:,}")


def _notes(notes: Sequence[str]) -> list[Section]:
    return [Section("Notes", [Words(note) for note in notes])] if notes else []
