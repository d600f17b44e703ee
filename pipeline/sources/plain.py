"""The formats that read or make scenes themselves, as one type: what sources made of other sources are made of."""

from typing import Annotated

from pydantic import Field

from pipeline.sources.camvid import CamvidConfig
from pipeline.sources.cityscapes import CityscapesConfig
from pipeline.sources.coco_stuff import CocoStuffConfig
from pipeline.sources.folder import FolderConfig
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.sources.webdataset import WebdatasetConfig

PlainSource = Annotated[
    StreetscapesConfig | CityscapesConfig | CamvidConfig | CocoStuffConfig | FolderConfig | WebdatasetConfig,
    Field(discriminator="format"),
]
