"""A team's own folders: glob patterns say where label maps, images and instance maps are."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import LabelMap
from pipeline.catalogs import load_catalog
from pipeline.errors import SourceError
from pipeline.sources.base import Source
from pipeline.sources.file_source import FileSourceConfig, FoundFiles, nothing_found
from pipeline.sources.instances import ENCODINGS, InstanceEncoding
from pipeline.sources.names import by_stem, fixed_folder
from pipeline.sources.paired import Reading
from pipeline.storage import Store, StoredFile


class FolderConfig(FileSourceConfig):
    """Files that pair when the wildcards of their patterns match the same text.

    Patterns know `*` (no slash), `?` and `**/` (any folders), and stand under the root; `{split}` is the split.
    """

    format: Literal["folder"] = "folder"
    catalog: str = Field(description="what the ids mean: a class catalog by name, path or URL")
    labels: str = Field(default="labels/{split}/**/*.png", description="pattern of the label maps")
    label_encoding: Literal["ids", "colors", "drawing"] = Field(
        default="ids",
        description="whether label maps hold class ids, the catalog's colours, or dark strokes (for catalog sketch)",
    )
    images: str | None = Field(default=None, description="pattern of the images, where there are any")
    instances: str | None = Field(default=None, description="pattern of the instance maps, where there are any")
    instance_encoding: InstanceEncoding = Field(
        default="cityscapes1000",
        description="cityscapes1000: class*1000+k; div256: class*256+k; rgb_panoptic: COCO's segments in R + 256 G + "
        "65536 B; separate: a number for each object",
    )

    @field_validator("labels", "images", "instances")
    @classmethod
    def _has_wildcard(cls, pattern: str | None) -> str | None:
        if pattern is not None and "*" not in pattern and "?" not in pattern:
            raise ValueError(f"{pattern!r} is no pattern: it needs a `*` where the names of the files differ")
        return pattern

    def open(self) -> Source:
        catalog = load_catalog(self.catalog)
        if self.label_encoding == "colors":
            _check_colors(catalog)
        store = Store(self.root)
        found = FoundFiles(
            labels=self._find(store, "label map", self.labels),
            images=self._find(store, "image", self.images),
            instances=self._find(store, "instance map", self.instances),
        )
        decode = {"ids": None, "colors": ids_of_colors, "drawing": ids_of_drawing}[self.label_encoding]
        return self.source(found, catalog, Reading(ENCODINGS[self.instance_encoding], decode))

    def _find(self, store: Store, what: str, pattern: str | None) -> dict[str, StoredFile]:
        if pattern is None:
            return {}
        pattern = pattern.replace("{split}", self.split)
        found = by_stem(store.list(fixed_folder(pattern)), pattern)
        if not found:
            raise nothing_found(store, f"no {what} matches {pattern}")
        return found


def ids_of_colors(packed: npt.NDArray[Any], catalog: Catalog) -> LabelMap:
    """RGB label maps (as R + 256 G + 65536 B) to class ids; ValueError names colours that are no class."""
    if packed.dtype != np.int32:
        raise ValueError("holds class ids, not colours; leave out `label_encoding: colors`")
    colors, inverse = np.unique(packed, return_inverse=True)
    ids = {red + 256 * green + 65536 * blue: i for (red, green, blue), i in colors_to_ids(catalog).items()}
    strange = [int(color) for color in colors if int(color) not in ids]
    if strange:
        shown = ", ".join(f"({c % 256}, {c // 256 % 256}, {c // 65536})" for c in strange[:5])
        many = "colours" if len(strange) > 1 else "colour"
        raise ValueError(f"holds {len(strange)} {many} that catalog {catalog.name} has no class of: {shown}")
    table = np.array([ids[int(color)] for color in colors], np.uint16)
    labels = table[inverse.reshape(packed.shape)]
    return labels.astype(np.uint8) if catalog.max_id <= 255 else labels


def ids_of_drawing(stored: npt.NDArray[Any], catalog: Catalog) -> LabelMap:
    """Grey or coloured strokes on light paper: 1 where it is dark, 0 elsewhere."""
    if stored.dtype == np.int32:  # R + 256 G + 65536 B
        stored = (stored % 256 + stored // 256 % 256 + stored // 65536) // 3
    # With one bit a pixel, black is 0 and white 1.
    middle = 0 if stored.max(initial=0) <= 1 else 32_767 if stored.dtype == np.uint16 else 127
    return (stored <= middle).astype(np.uint8)


def _check_colors(catalog: Catalog) -> None:
    try:
        colors_to_ids(catalog)
    except ValueError as error:
        raise SourceError(f"label_encoding: {error}") from error


def colors_to_ids(catalog: Catalog) -> dict[tuple[int, int, int], int]:
    """The class each colour means; ValueError where it could mean either of two.

    A class that is trained on goes before one that is not, and that before void: Cityscapes paints pole groups like
    poles and licence plates like cars.
    """
    owner: dict[tuple[int, int, int], ClassSpec] = {}
    for spec in sorted(catalog.classes, key=_rank):
        first = owner.setdefault(spec.color, spec)
        if first is not spec and not spec.void and _rank(first) == _rank(spec):
            raise ValueError(
                f"catalog {catalog.name} gives {first.name!r} and {spec.name!r} one colour {spec.color}; "
                "use label maps of ids"
            )
    return {color: spec.id for color, spec in owner.items()}


def _rank(spec: ClassSpec) -> int:
    return 2 if spec.void else 1 if spec.train_id == 255 else 0
