"""Opens what a preview needs, makes its rows, and writes its picture and page."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from label_editing.scene import Scene
from pipeline.augment.job import AugmentJob
from pipeline.augment.prepare import GLANCE, counts_are_missing, draw_recipe, prepare
from pipeline.augment.workers import RENDER_THREADS
from pipeline.config_file import Loaded
from pipeline.config_overrides import as_run
from pipeline.console import Console
from pipeline.errors import InputError, StorageError
from pipeline.instance_banks import quick_context
from pipeline.model_directory import ModelDirectory
from pipeline.plan import Plan, SampleSpec, sample_rng
from pipeline.preview import Previewer, PreviewRow, Render, preview_page, preview_sheet
from pipeline.recipe import Recipe
from pipeline.recipe_source import opened_source, reading_resolution
from pipeline.resolution import Resolution
from pipeline.shards import layout
from pipeline.sources.base import Image, Source
from pipeline.storage import Store
from pipeline.styles.draw import draw_style

_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Preview:
    """The rows of a preview, and in what they may differ from what `augment` makes (empty: in nothing)."""

    rows: list[PreviewRow]
    note: str = ""


def make_preview(loaded: Loaded[Recipe], count: int, maps_only: bool, console: Console) -> Preview:
    """The first samples of a recipe: with images where its model is there and they are wanted."""
    recipe = loaded.value
    render: Render | None = None
    if not maps_only and ModelDirectory(recipe.model).finished():
        job, _ = prepare(loaded, quick=True)
        previewer, note = previewer_of(job.recipe, job.source, job.plan, job.resolution)
        render = _Imager(job)
    else:
        if not maps_only:
            console.note(f"no model at {recipe.model} yet: maps only")
        source, resolution = opened_source(loaded), reading_resolution(recipe)
        drawn = draw_recipe(recipe, source, resolution, quick=True)
        previewer, note = previewer_of(drawn.recipe, source, drawn.plan, resolution)
        if resolution is None:
            own_size = "maps keep their own size; at the model's, edits may fall out another way"
            note = f"{note}; {own_size}" if note else own_size
    if note:
        console.note(note)
    rows = []
    with console.progress("preview", count, "samples") as progress:
        for row in previewer.rows(count, render):
            rows.append(row)
            progress.advance()
    return Preview(rows, note)


def previewer_of(recipe: Recipe, source: Source, plan: Plan, resolution: Resolution | None) -> tuple[Previewer, str]:
    """With the context that `augment` will edit in, and a note where that would take too long to make."""
    kept = Store(f"{recipe.output.root}/{layout.STATE}")
    context, note = quick_context(recipe.edits, source, kept, resolution)
    notes = [note] if note else []
    if counts_are_missing(recipe, source, resolution):
        many = len(source.keys())
        notes.append(f"scenes are drawn from {GLANCE} of {many:,}, until a run or `augment --dry-run` has counted all")
    return Previewer(recipe, source, plan, context, resolution), "; ".join(notes)


class _Imager:
    """Renders single samples of a job."""

    def __init__(self, job: AugmentJob) -> None:
        # Torch takes longer to import than maps take to draw.
        import torch

        from generators.inference import Renderer

        torch.set_num_threads(RENDER_THREADS)  # as in a run: sums in another order give other bits
        self._job = job
        self._renderer = Renderer(job.model.load_generator())

    def __call__(self, spec: SampleSpec, edited: Scene) -> Image:
        from pipeline.augment.rendering import Input, render_inputs, to_channels

        _, styles_rng = sample_rng(spec.seed, spec.source_key, spec.variant).spawn(2)
        style, _ = draw_style(self._job.bank, self._job.recipe.styles, edited, styles_rng)
        channels = to_channels(edited.labels, self._job.model.catalog)
        [image] = render_inputs(self._renderer, [Input(channels, edited.instances, style)])
        return image


def check_out(out: Path) -> None:
    """Refuse a place that the picture cannot be written to, before anything is made. Creates its folder."""
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--out {out}: expected a .png or .jpg file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: cannot make its folder: {error.strerror}") from error
    for path in (out, page_beside(out)):
        if path.is_dir() or not os.access(path if path.exists() else out.parent, os.W_OK):
            raise InputError(f"--out {out}: {path} cannot be written")


def page_beside(out: Path) -> Path:
    """The page of a picture."""
    return out.with_suffix(".html")


def write_preview(loaded: Loaded[Recipe], preview: Preview, out: Path, overrides: Sequence[str] = ()) -> None:
    """Write picture and page."""
    check_out(out)
    done, data = cv2.imencode(out.suffix, preview_sheet(preview.rows)[:, :, ::-1])
    page = preview_page(loaded.value, as_run(loaded.text, overrides), preview.rows, preview.note)
    try:
        out.write_bytes(data.tobytes() if done else b"")
        page_beside(out).write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror}") from error
