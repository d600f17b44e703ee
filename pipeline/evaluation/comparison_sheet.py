"""The same label maps rendered by several models, in rows: what `evaluate compare` shows beside the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.page_parts import css_color
from pipeline.report.contact_sheet import contact_sheet
from pipeline.report.page import Shot
from pipeline.report.sheet import map_shot, photo_shot
from pipeline.shards.pixels import decode_image
from pipeline.sources.base import Image
from pipeline.storage import Store

_CELL_PX = 240


@dataclass(frozen=True)
class SharedScene:
    """A scene that all models show: its label map, its photograph, and what each made of it, by name of the model."""

    key: str
    labels: Image
    real: Image
    rendered: Mapping[str, Image]

    def shots(self) -> list[Shot]:
        """As a row of a page."""
        rendered = [photo_shot(picture, name) for name, picture in self.rendered.items()]
        return [map_shot(self.labels, "label map"), photo_shot(self.real, "photograph"), *rendered]


def shared_scenes(results: Mapping[str, Mapping[str, Any]], stores: Mapping[str, Store]) -> list[SharedScene]:
    """The scenes that all of them show, in the order of the first."""
    shown = {name: {scene["key"]: scene for scene in result.get("shown", [])} for name, result in results.items()}
    first, *others = shown
    keys = [key for key in shown[first] if all(key in shown[other] for other in others)]

    def picture(name: str, key: str, what: str) -> Image:
        return decode_image(stores[name].read(shown[name][key][what]))

    return [
        SharedScene(
            key,
            # The same whoever renders.
            labels=picture(first, key, "labels"),
            real=picture(first, key, "real"),
            rendered={name: picture(name, key, "rendered") for name in shown},
        )
        for key in keys
    ]


def colors_shown(results: Mapping[str, Mapping[str, Any]], scenes: Sequence[SharedScene]) -> dict[str, str]:
    """What the colours of these label maps mean, as their evaluations tell; nothing for results that do not."""
    shown = {css_color(color) for scene in scenes for color in np.unique(scene.labels.reshape(-1, 3), axis=0).tolist()}
    told = [told for result in results.values() for told in result.get("map_colors", {}).items()]
    return {name: color for name, color in told if color in shown}


def comparison_sheet(scenes: Sequence[SharedScene]) -> Image | None:
    """All of them in one picture; None without any."""
    if not scenes:
        return None
    rows = [[scene.labels, scene.real, *scene.rendered.values()] for scene in scenes]
    headings = ("label map", "photograph", *scenes[0].rendered)
    return contact_sheet(rows, headings=headings, captions=[scene.key for scene in scenes], cell_width=_CELL_PX)
