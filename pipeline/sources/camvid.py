"""CamVid in its 480x360 form: <split>/*.jpg or *.png, annotations with the same names in <split>annot/*.png."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pipeline.catalogs import load_catalog
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, no_split
from pipeline.sources.instances import from_components
from pipeline.sources.names import by_stem
from pipeline.sources.paired import Reading
from pipeline.storage import Store

_ANNOTATIONS = "annot"
# The sequences of CamVid, by the hour they were filmed at.
_TIME_OF_DAY = {"0001TP": "dusk", "0006R0": "day", "0016E5": "day", "Seq05VD": "day"}


class CamvidConfig(FileSourceConfig):
    """CamVid's 11 classes. Attributes: sequence, time_of_day."""

    format: Literal["camvid"] = "camvid"
    instances: Literal["none", "components"] = Field(
        default="none", description="components makes an instance of each connected region of a thing class"
    )

    def open(self) -> Source:
        store = Store(self.root)
        labels = by_stem(store.list(self.split + _ANNOTATIONS), f"{self.split}{_ANNOTATIONS}/*.png")
        if not labels:
            folders = {file.path.partition("/")[0] for file in store.list()}
            splits = sorted(f.removesuffix(_ANNOTATIONS) for f in folders if f.endswith(_ANNOTATIONS))
            raise no_split(store, self.split, splits, f"{self.split}{_ANNOTATIONS}/*.png")
        images = store.list(self.split)
        found = FoundFiles(labels, {**by_stem(images, f"{self.split}/*.jpg"), **by_stem(images, f"{self.split}/*.png")})
        reading = Reading(without_file=from_components if self.instances == "components" else None)
        return self.source(found, load_catalog("camvid"), reading, _sequence)


def _sequence(stem: str) -> Mapping[str, str]:
    sequence, _, frame = stem.partition("_")
    if not frame:
        return {}
    known = _TIME_OF_DAY.get(sequence)
    return {"sequence": sequence} | ({"time_of_day": known} if known else {})
