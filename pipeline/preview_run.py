"""Opens what a preview needs, makes its rows, and writes its picture and page."""

from pathlib import Path

import cv2

from generators.inference import Renderer
from label_editing.scene import Scene
from pipeline.augment.job import AugmentJob
from pipeline.augment.prepare import draw_recipe, prepare
from pipeline.augment.rendering import Input, render_inputs
from pipeline.config_file import Loaded
from pipeline.console import Console
from pipeline.errors import InputError, StorageError
from pipeline.instance_banks import kept_context
from pipeline.model_directory import ModelDirectory
from pipeline.plan import Plan, SampleSpec, sample_rng
from pipeline.preview import Previewer, PreviewRow, Render, preview_page, preview_sheet
from pipeline.recipe import Recipe
from pipeline.recipe_source import opened_source
from pipeline.resolution import Resolution
from pipeline.shards import layout
from pipeline.sources.base import Image, Source
from pipeline.storage import Store
from pipeline.styles.draw import draw_style


def preview_rows(loaded: Loaded[Recipe], count: int, maps_only: bool, console: Console) -> list[PreviewRow]:
    """The rows of a preview: with images where the recipe's model is there and they are wanted."""
    recipe = loaded.value
    render: Render | None = None
    if ModelDirectory(recipe.model).finished():
        job, _ = prepare(loaded)
        previewer = previewer_of(job.recipe, job.source, job.plan, job.resolution)
        render = None if maps_only else _Imager(job)
    else:
        if not maps_only:
            console.note(f"no model at {recipe.model} yet: maps only")
        source = opened_source(loaded)
        drawn = draw_recipe(recipe, source, recipe.resolution)
        previewer = previewer_of(drawn.recipe, source, drawn.plan, recipe.resolution)
    rows = []
    with console.progress("preview", count, "samples") as progress:
        for row in previewer.rows(count, render):
            rows.append(row)
            progress.advance()
    return rows


def previewer_of(recipe: Recipe, source: Source, plan: Plan, resolution: Resolution | None) -> Previewer:
    """With the context that `augment` will edit in."""
    kept = Store(f"{recipe.output.root}/{layout.STATE}")
    return Previewer(recipe, source, plan, kept_context(recipe.edits, source, kept, resolution), resolution)


class _Imager:
    """Renders single samples of a job."""

    def __init__(self, job: AugmentJob) -> None:
        self._job = job
        self._renderer = Renderer(job.model.load_generator())

    def __call__(self, spec: SampleSpec, edited: Scene) -> Image:
        _, styles_rng = sample_rng(spec.seed, spec.source_key, spec.variant).spawn(2)
        style, _ = draw_style(self._job.bank, self._job.recipe.styles, edited, styles_rng)
        [image] = render_inputs(
            self._renderer, [Input(edited.labels, edited.instances, style)], self._job.model.catalog
        )
        return image


def write_preview(loaded: Loaded[Recipe], rows: list[PreviewRow], out: Path) -> Path:
    """Write picture and page; the path of the page."""
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"--out {out}: expected a .png or .jpg file")
    done, data = cv2.imencode(out.suffix, preview_sheet(rows)[:, :, ::-1])
    page = out.with_suffix(".html")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data.tobytes() if done else b"")
        page.write_text(preview_page(loaded.value, loaded.text, rows), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror}") from error
    return page
