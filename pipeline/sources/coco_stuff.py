"""COCO-Stuff as SPADE lays it out: <split>_img/*.jpg, <split>_label/*.png, <split>_inst/*.png."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.scene import LabelMap
from pipeline.catalogs import load_catalog
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, no_split
from pipeline.sources.instances import from_painted_counts
from pipeline.sources.names import by_stem
from pipeline.sources.paired import Reading
from pipeline.storage import Store


class CocoStuffConfig(FileSourceConfig):
    """COCO-Stuff; the instance maps may be missing."""

    format: Literal["coco_stuff"] = "coco_stuff"

    def open(self) -> Source:
        store = Store(self.root)
        split = self.split
        labels = by_stem(store.list(f"{split}_label"), f"{split}_label/*.png")
        if not labels:
            folders = {file.path.partition("/")[0] for file in store.list()}
            splits = sorted(f.removesuffix("_label") for f in folders if f.endswith("_label"))
            raise no_split(store, split, splits, f"{split}_label/*.png")
        found = FoundFiles(
            labels=labels,
            images=by_stem(store.list(f"{split}_img"), f"{split}_img/*.jpg"),
            instances=by_stem(store.list(f"{split}_inst"), f"{split}_inst/*.png"),
        )
        return self.source(found, load_catalog("coco_stuff"), Reading(from_painted_counts, official_ids))


def official_ids(stored: npt.NDArray[Any], catalog: Catalog) -> LabelMap:
    """What the files store is the official id minus one, and 255 for the official 0."""
    if stored.dtype != np.uint8:
        raise ValueError(f"stores {stored.dtype}; label maps of COCO-Stuff have 8 bits")
    return stored + np.uint8(1)
