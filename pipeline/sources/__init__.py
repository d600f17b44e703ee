"""Where scenes come from: every format, by the name a recipe calls it."""

from typing import Annotated

from pydantic import Field

from pipeline.sources.base import Pair, Source, SourceConfig
from pipeline.sources.camvid import CamvidConfig
from pipeline.sources.cityscapes import CityscapesConfig
from pipeline.sources.coco_stuff import CocoStuffConfig
from pipeline.sources.folder import FolderConfig
from pipeline.sources.sketch import SketchConfig
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.sources.unpaired import UnpairedConfig
from pipeline.sources.webdataset import WebdatasetConfig

SOURCES: dict[str, type[SourceConfig]] = {
    "streetscapes": StreetscapesConfig,
    "cityscapes": CityscapesConfig,
    "camvid": CamvidConfig,
    "coco_stuff": CocoStuffConfig,
    "folder": FolderConfig,
    "webdataset": WebdatasetConfig,
    "sketch": SketchConfig,
    "unpaired": UnpairedConfig,
}

# Written out: a union in a union would hide from messages which format a mistake belongs to.
AnySource = Annotated[
    StreetscapesConfig
    | CityscapesConfig
    | CamvidConfig
    | CocoStuffConfig
    | FolderConfig
    | WebdatasetConfig
    | SketchConfig
    | UnpairedConfig,
    Field(discriminator="format"),
]

__all__ = ["SOURCES", "AnySource", "Pair", "Source", "SourceConfig"]
