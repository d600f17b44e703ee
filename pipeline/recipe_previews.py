"""The pictures in docs/recipes.md: what each shipped recipe does to street maps that are made here.

python -m pipeline.recipe_previews            draws them all
python -m pipeline.recipe_previews NAME...    draws some
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from pipeline.configs import shipped
from pipeline.console import Console
from pipeline.preview import PreviewRow, preview_sheet
from pipeline.preview_run import make_preview
from pipeline.recipe import load_recipe
from pipeline.report.contact_sheet import encode_jpeg
from pipeline.sources.base import Image

MOST_BYTES = 90_000
_SAMPLES, _ROWS = 12, 3
# Streets at half size, and no model: the same pictures on every machine.
_OVERRIDES = ("source.scenes=48", "samples=24", "resolution=1024x512", "model=no-model", "output.root=no-output")
_WIDTHS = (1304, 1152, 1024, 896, 768)
_QUALITY = 60


def recipe_preview(name: str) -> bytes:
    """Three of the first samples of a shipped recipe before and after its edits, as JPEG."""
    rows = make_preview(load_recipe(name, _OVERRIDES), _SAMPLES, True, Console(quiet=True)).rows
    sheet = preview_sheet(sorted(rows, key=_most_told)[:_ROWS])
    pictures = (encode_jpeg(_narrowed(sheet, width), _QUALITY) for width in _WIDTHS)
    return next(picture for picture in pictures if len(picture) <= MOST_BYTES)


def _narrowed(sheet: Image, width: int) -> Image:
    height = round(sheet.shape[0] * width / sheet.shape[1])
    return np.asarray(cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _most_told(row: PreviewRow) -> int:
    """Samples in which more instances were touched come first; those in which nothing was, last."""
    return -sum(line.count(" removed ") + line.count(" added ") + line.endswith("applied") for line in row.done)


def main(names: list[str]) -> int:
    """Draw the pictures of these recipes, or of all, beside this checkout."""
    folder = Path(__file__).parent.parent / "docs" / "previews"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or shipped("recipes"):
        (folder / f"{name}.jpg").write_bytes(recipe_preview(name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
