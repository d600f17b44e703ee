"""Opens what a preview needs, makes its rows, and writes its picture and page."""

from pathlib import Path

import cv2

from generators.inference import Renderer
from label_editing.edits import EditContext
from label_editing.scene import Scene
from pipeline.augment.job import AugmentJob
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import to_channels
from pipeline.config_file import Loaded
from pipeline.console import Console
from pipeline.errors import InputError, StorageError
from pipeline.model_directory import ModelDirectory
from pipeline.plan import SampleSpec, draw_plan, sample_rng
from pipeline.preview import Previewer, PreviewRow, Render, preview_page, preview_sheet
from pipeline.recipe import Recipe
from pipeline.recipe_checks import check_recipe
from pipeline.sources.base import Image
from pipeline.styles.draw import draw_style


def preview_rows(loaded: Loaded[Recipe], count: int, maps_only: bool, console: Console) -> list[PreviewRow]:
    """The rows of a preview: with images where the recipe's model is there and they are wanted."""
    recipe = loaded.value
    render: Render | None = None
    if maps_only or not ModelDirectory(recipe.model).finished():
        if not maps_only:
            console.note(f"no model at {recipe.model} yet: maps only")
        previewer = _without_model(loaded)
    else:
        job, _ = prepare(loaded)
        previewer = Previewer(recipe, job.source, job.plan, job.context, job.resolution)
        render = _Imager(job)
    rows = []
    with console.progress("preview", count, "samples") as progress:
        for row in previewer.rows(count, render):
            rows.append(row)
            progress.advance()
    return rows


def _without_model(loaded: Loaded[Recipe]) -> Previewer:
    recipe = loaded.value
    source = recipe.source.open()
    check_recipe(loaded, source.catalog)
    keys = source.keys()
    samples = recipe.samples or (recipe.variants_per_source or 1) * len(keys)
    plan = draw_plan(recipe.name, keys, samples, recipe.seed, recipe.output.samples_per_shard)
    return Previewer(recipe, source, plan, EditContext(), recipe.resolution)


class _Imager:
    """Renders single samples of a job."""

    def __init__(self, job: AugmentJob) -> None:
        self._job = job
        self._renderer = Renderer(job.model.load_generator())

    def __call__(self, spec: SampleSpec, edited: Scene) -> Image:
        _, styles_rng = sample_rng(spec.seed, spec.source_key, spec.variant).spawn(2)
        style, _ = draw_style(self._job.bank, self._job.recipe.styles, edited, styles_rng)
        labels = to_channels(edited.labels, self._job.model.catalog)
        instances = None if edited.instances is None else edited.instances[None]
        return self._renderer.render(labels[None], instances, [style])[0]


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
