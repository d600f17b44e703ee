"""What a recipe does to label maps, before any image is made: before, after, and what changed, as PNG and as a page."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from label_editing.drawing import outline_changes
from label_editing.edits import EditContext, EditRecord, EditRefused, apply_edits
from label_editing.edits.base import NOT_DRAWN
from label_editing.scene import Scene
from pipeline.errors import SourceError
from pipeline.plan import SPARES_A_SLOT, Plan, SampleSpec, sample_rng
from pipeline.recipe import Recipe
from pipeline.report.contact_sheet import contact_sheet, encode_jpeg
from pipeline.report.html import ShownSample, data_uri, render_page
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source

CELL_PX = 640  # pixels a picture is wide

Render = Callable[[SampleSpec, Scene], Image]


@dataclass(frozen=True)
class PreviewRow:
    """One sample of the plan: its maps as pictures, what was done to them, and its image where there is a model."""

    spec: SampleSpec
    before: Image
    after: Image
    done: tuple[str, ...]
    image: Image | None = None

    @property
    def pictures(self) -> list[Image]:
        return [self.before, self.after, *([] if self.image is None else [self.image])]


class Previewer:
    """The first samples of a plan, edited exactly as `augment` will edit them."""

    def __init__(
        self, recipe: Recipe, source: Source, plan: Plan, context: EditContext, resolution: Resolution | None
    ) -> None:
        self._recipe, self._source, self._plan = recipe, source, plan
        self._context, self._resolution = context, resolution

    def rows(self, count: int, render: Render | None = None) -> Iterator[PreviewRow]:
        """So many samples, in the order of the plan; `render` makes an image of an edited scene."""
        slots = range(min(count, self._plan.num_samples))
        # NumPy and OpenCV let go of the interpreter, so threads help.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for row, edited in threads.map(self._row, slots):
                yield row if render is None else replace(row, image=render(row.spec, edited))

    def _row(self, slot: int) -> tuple[PreviewRow, Scene]:
        spec, scene, edited, records = self.edited(slot)
        before, after = outline_changes(scene, edited, records, CELL_PX)
        return PreviewRow(spec, before, after, tuple(described(records))), edited

    def edited(self, slot: int) -> tuple[SampleSpec, Scene, Scene, list[EditRecord]]:
        """A slot of the plan with its scene before and after the edits; the next spare where a scene does not do."""
        last = ""
        for attempt in range(SPARES_A_SLOT + 1):
            spec = self._plan.spare(slot, attempt) if attempt else self._plan.sample(slot)
            edits_rng, _ = sample_rng(spec.seed, spec.source_key, spec.variant).spawn(2)
            try:
                scene = self._source.read_scene(spec.source_key, self._resolution)
                edited, records = apply_edits(self._recipe.edits, scene, self._context, edits_rng)
            except (EditRefused, SourceError) as refusal:
                last = str(refusal)
                continue
            return spec, scene, edited, records
        raise SourceError(f"no scene tried for sample {slot} fits: {last}")


def described(records: list[EditRecord]) -> list[str]:
    """A line an edit: what it did, or why it did nothing."""
    lines = []
    for record in records:
        reason = "skipped by its probability" if record.reason == NOT_DRAWN else record.reason
        outcome = (_touched(record) or "applied") if record.applied else reason
        lines.append(f"{record.op}: {outcome}")
        lines += described(list(record.children))
    return lines


def _touched(record: EditRecord) -> str:
    """What became of instances, and of how many of each class: `removed person (9), rider`."""
    counts = Counter((touched.what, touched.class_name) for touched in record.instances)
    by_what: dict[str, list[str]] = {}
    for (what, name), count in counts.items():
        by_what.setdefault(what, []).append(name if count == 1 else f"{name} ({count})")
    return "; ".join(f"{what} {', '.join(names)}" for what, names in by_what.items())


def preview_sheet(rows: list[PreviewRow]) -> Image:
    """Every row side by side, with a caption."""
    headings = ["source map", "edited map", "image"][: max(len(row.pictures) for row in rows)]
    captions = [f"{row.spec.source_key}  |  {'  |  '.join(row.done)}" for row in rows]
    return contact_sheet([row.pictures for row in rows], headings=headings, captions=captions, cell_width=CELL_PX)


def preview_page(recipe: Recipe, recipe_text: str, rows: list[PreviewRow], note: str = "") -> str:
    """The same as a page that opens from anywhere; `note` says in what it differs from the run."""
    return render_page(
        "preview.html.j2",
        title=f"{recipe.name} - preview",
        name=recipe.name,
        note=note,
        rows=shown_on_page(rows),
        recipe_text=recipe_text,
    )


def shown_on_page(rows: list[PreviewRow]) -> list[ShownSample]:
    """The rows as pages show them."""
    return [
        {
            "key": row.spec.source_key,
            "pictures": [data_uri(encode_jpeg(picture)) for picture in row.pictures],
            "done": row.done,
        }
        for row in rows
    ]
