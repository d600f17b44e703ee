"""Photographs without label maps: what families that learn without pairs take beside somebody else's label maps."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from label_editing.scene import Scene
from pipeline.catalogs import load_catalog
from pipeline.errors import MissingFileError, SourceError
from pipeline.resolution import Resolution
from pipeline.sources.attributes import AttributeTable, read_attributes
from pipeline.sources.base import Image, Source, SourceConfig
from pipeline.sources.names import by_key, by_stem, fixed_folder
from pipeline.sources.pixels import decode_image, resize_image
from pipeline.sources.selection import selected
from pipeline.storage import Store, StoredFile


class PhotographsConfig(SourceConfig):
    """JPEG and PNG files, found by a pattern."""

    format: Literal["photographs"] = "photographs"
    root: str = Field(min_length=1, description="a folder, or any fsspec URL")
    images: str = Field(default="**/*.jpg", description="pattern of the files under the root; `{split}` is the split")
    attributes: str | None = Field(
        default=None, description="CSV or parquet file under the root: a column `key`, then a column an attribute"
    )

    def open(self) -> Source:
        store = Store(self.root)
        pattern = self.images.replace("{split}", self.split)
        found = by_stem(store.list(fixed_folder(pattern)), pattern)
        if not found:
            raise SourceError(f"{store.url}: no photograph matches {pattern}")
        table = read_attributes(store, self.attributes) if self.attributes else AttributeTable()
        files = {key: found[stem] for key, stem in by_key(found).items()}
        said = {key: table.of(stem) for key, stem in by_key(found).items()}
        return selected(PhotographsSource(self.split, store, files, said), self)


class PhotographsSource(Source):
    """Images by key, and no scene at all."""

    format = "photographs"

    def __init__(
        self, split: str, store: Store, photographs: Mapping[str, StoredFile], said: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.split, self.catalog = split, load_catalog("sketch")  # of no label map: there is none
        self._store, self._photographs, self._said = store, photographs, said

    def keys(self) -> Sequence[str]:
        return sorted(self._photographs)

    def attributes(self, key: str) -> Mapping[str, str]:
        return dict(self._said[key])

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        raise SourceError(f"{key}: a photograph without a label map")

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        file = self._photographs[key]
        try:
            image: Image = decode_image(self._store.read(file.path))
        except MissingFileError as error:
            raise SourceError(str(error)) from None
        except ValueError as error:
            raise SourceError(f"{self._store.place(file.path)}: {error}") from None
        return image if resolution is None else resize_image(image, resolution)

    def files(self, key: str) -> Sequence[str]:
        return (self._store.place(self._photographs[key].path),)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for key in self.keys():
            file = self._photographs[key]
            digest.update(f"{key} {file.path} {file.size}\n".encode())
        return digest.hexdigest()[:16]
