"""Drawings in place of class maps: the lines of another source's photographs, or the borders in its label maps."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import cv2
import numpy as np
from pydantic import Field, model_validator

from label_editing.catalog import Catalog
from label_editing.scene import LabelMap, Scene
from pipeline.catalogs import load_catalog
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Pair, Source, SourceConfig, Unpaired
from pipeline.sources.plain import PlainSource
from pipeline.sources.selection import selected

Lines = Literal["photograph", "labels"]
# Of the gradient, whose largest value is about 1000: a line begins above the second and goes on above the first.
_WEAK, _STRONG = 60.0, 160.0


class SketchConfig(SourceConfig):
    """For models with `condition: sketch`: each scene of another source as strokes on paper."""

    format: Literal["sketch"] = "sketch"
    of: PlainSource = Field(description="the source that is drawn")
    lines: Lines = Field(
        default="photograph", description="photograph: where its brightness changes; labels: between instances"
    )

    @model_validator(mode="after")
    def _one_split(self) -> Self:
        if "split" not in self.model_fields_set:
            # The split of what is drawn, here too: whoever writes this config down and reads it again finds both alike.
            object.__setattr__(self, "split", self.of.split)
        return self

    def open(self) -> Source:
        drawn = type(self.of).model_validate({**self.of.model_dump(), "split": self.split})
        return selected(SketchSource(drawn.open(), self.lines), self)

    def anchored(self) -> Self:
        return self.model_copy(update={"of": self.of.anchored()})


class SketchSource(Source):
    """Scenes of two classes, paper and stroke; keys, attributes and images are those of the source that is drawn."""

    format = "sketch"

    def __init__(self, source: Source, lines: Lines) -> None:
        self.split = source.split
        self.catalog: Catalog = load_catalog("sketch")
        self._source, self._lines = source, lines

    def keys(self) -> Sequence[str]:
        return self._source.keys()

    def attributes(self, key: str) -> Mapping[str, str]:
        return self._source.attributes(key)

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        if self._lines == "labels":
            return self._scene(borders(self._source.read_scene(key, resolution)), key)
        return self.read(key, resolution).scene

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return self._source.read_image(key, resolution)

    def read(self, key: str, resolution: Resolution | None = None) -> Pair:
        scene, image = self._source.read(key, resolution)
        if self._lines == "labels":
            return Pair(self._scene(borders(scene), key), image)
        if image is None:
            raise SourceError(f"{key}: has no photograph to draw; use `lines: labels`")
        return Pair(self._scene(strokes(image), key), image)

    def unpaired(self) -> Sequence[Unpaired]:
        return self._source.unpaired()

    def has_image(self, key: str) -> bool:
        return self._source.has_image(key)

    def files(self, key: str) -> Sequence[str]:
        return self._source.files(key)

    def fingerprint(self) -> str:
        return f"{self._source.fingerprint()}-{self._lines}"

    def _scene(self, drawing: LabelMap, key: str) -> Scene:
        return Scene(drawing, drawing.astype(np.int32), self.catalog, key, self.attributes(key))


def strokes(image: Image) -> LabelMap:
    """1 where the brightness changes, thin and joined as Canny's method has it; 0 elsewhere."""
    grey = cv2.GaussianBlur(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), (5, 5), 0)
    return (cv2.Canny(grey, _WEAK, _STRONG) > 0).astype(np.uint8)


def borders(scene: Scene) -> LabelMap:
    """1 on pixels whose right or lower neighbour belongs to another instance; 0 elsewhere."""
    regions = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
    drawing = np.zeros(regions.shape, np.uint8)
    drawing[:, :-1] |= regions[:, :-1] != regions[:, 1:]
    drawing[:-1] |= regions[:-1] != regions[1:]
    return drawing
