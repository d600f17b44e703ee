"""Cityscapes as it is downloaded: gtFine/<split>/<city>/*_labelIds.png, instanceIds beside them, leftImg8bit images."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from pipeline.catalogs import load_catalog
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, no_split
from pipeline.sources.instances import from_cityscapes1000
from pipeline.sources.names import by_stem
from pipeline.sources.paired import Reading
from pipeline.storage import Store, StoredFile


class CityscapesConfig(FileSourceConfig):
    """The official tree of Cityscapes; the images may be missing. Attribute: city."""

    format: Literal["cityscapes"] = "cityscapes"
    annotations: Literal["gtFine", "gtCoarse"] = Field(default="gtFine", description="the fine or the coarse ones")

    def open(self) -> Source:
        store = Store(self.root)
        kind = self.annotations
        annotated = store.list(f"{kind}/{self.split}")
        labels = _named(annotated, f"{kind}_labelIds")
        if not labels:
            splits = sorted({file.path.split("/")[1] for file in store.list(kind) if file.path.count("/") > 1})
            raise no_split(store, self.split, splits, f"{kind}/{self.split}/<city>/*_{kind}_labelIds.png")
        found = FoundFiles(
            labels=labels,
            images=_named(store.list(f"leftImg8bit/{self.split}"), "leftImg8bit"),
            instances=_named(annotated, f"{kind}_instanceIds"),
        )
        return self.source(found, load_catalog("cityscapes"), Reading(from_cityscapes1000), _city)


def _named(files: Iterable[StoredFile], ending: str) -> dict[str, StoredFile]:
    # The city's folder only repeats the beginning of the name.
    return by_stem(files, f"**/*_{ending}.png", folders=False)


def _city(stem: str) -> dict[str, str]:
    # <city>_<sequence>_<frame>; the recordings of some cities have names with an underscore.
    city, *numbers = stem.rsplit("_", 2)
    return {"city": city} if len(numbers) == 2 else {}
