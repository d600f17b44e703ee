"""Label maps from one source and photographs from another, for families that learn without pairs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from label_editing.scene import Scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source, SourceConfig
from pipeline.sources.photographs import PhotographsConfig
from pipeline.sources.plain import PlainSource
from pipeline.sources.selection import selected

AnyPhotographs = Annotated[PhotographsConfig | PlainSource, Field(discriminator="format")]


class UnpairedConfig(SourceConfig):
    """For families that train unpaired (lab2pix_v1): label maps and photographs that do not belong together."""

    format: Literal["unpaired"] = "unpaired"
    labels: PlainSource = Field(description="where label maps come from; images of theirs are not read")
    photographs: AnyPhotographs = Field(description="where photographs come from; label maps of theirs are not read")

    @model_validator(mode="after")
    def _split_of_labels(self) -> Self:
        if "split" not in self.model_fields_set:
            # As in sketch.py: whoever writes this config down and reads it again finds both alike.
            object.__setattr__(self, "split", self.labels.split)
        return self

    def open(self) -> Source:
        """The split is that of the label maps; photographs have their own."""
        labels = type(self.labels).model_validate({**self.labels.model_dump(), "split": self.split})
        return selected(UnpairedSource(self.split, labels.open(), self.photographs.open()), self)

    def anchored(self) -> Self:
        return self.model_copy(update={"labels": self.labels.anchored(), "photographs": self.photographs.anchored()})


class UnpairedSource(Source):
    """As many scenes as the longer of the two has, the shorter one again and again.

    Attributes are those of the photograph: they say what the image looks like, which is what is learnt from it.
    """

    format = "unpaired"
    paired = False

    def __init__(self, split: str, label_maps: Source, photographs: Source) -> None:
        self.split, self.catalog = split, label_maps.catalog
        self._label_maps, self._photographs = label_maps, photographs
        self._of_maps = label_maps.keys()
        self._of_photographs = [key for key in photographs.keys() if photographs.has_image(key)]
        if not self._of_photographs:
            raise SourceError(
                f"photographs: none of the {len(photographs.keys())} scenes of {photographs.format} has an image"
            )
        self._size = max(len(self._of_maps), len(self._of_photographs))

    def keys(self) -> Sequence[str]:
        return [f"unpaired-{number:08d}" for number in range(self._size)]

    def attributes(self, key: str) -> Mapping[str, str]:
        return self._photographs.attributes(self._photograph(key))

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        own = self._of_maps[self._number(key) % len(self._of_maps)]
        return replace(self._label_maps.read_scene(own, resolution), key=key, attributes=self.attributes(key))

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return self._photographs.read_image(self._photograph(key), resolution)

    def files(self, key: str) -> Sequence[str]:
        own = self._of_maps[self._number(key) % len(self._of_maps)]
        return (*self._label_maps.files(own), *self._photographs.files(self._photograph(key)))

    def fingerprint(self) -> str:
        said = f"{self._label_maps.fingerprint()}/{self._photographs.fingerprint()}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _photograph(self, key: str) -> str:
        return self._of_photographs[self._number(key) % len(self._of_photographs)]

    def _number(self, key: str) -> int:
        number = key.removeprefix("unpaired-")
        if not number.isdigit() or int(number) >= self._size:
            raise SourceError(
                f"unpaired: no scene {key!r}; there are unpaired-00000000 to unpaired-{self._size - 1:08d}"
            )
        return int(number)
