"""What every source of label map, image and instance files has in common: its options, and how files become scenes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from label_editing.catalog import Catalog
from label_editing.names import unknown_name
from pipeline.errors import SourceError
from pipeline.sources.attributes import AttributeTable, read_attributes
from pipeline.sources.base import Source, SourceConfig, Unpaired
from pipeline.sources.names import by_key
from pipeline.sources.paired import PairedSource, Reading, SceneFiles
from pipeline.sources.selection import selected
from pipeline.storage import Store, StoredFile

Attributes = Mapping[str, str]


@dataclass(frozen=True)
class FoundFiles:
    """The files of a source by stem. Empty images or instances: it has none."""

    labels: dict[str, StoredFile]
    images: dict[str, StoredFile] = field(default_factory=dict)
    instances: dict[str, StoredFile] = field(default_factory=dict)


class FileSourceConfig(SourceConfig):
    """Options of every source of files."""

    root: str = Field(min_length=1, description="a folder, or any fsspec URL")
    attributes: str | None = Field(
        default=None, description="CSV or parquet file under the root: a column `key`, then a column an attribute"
    )

    def source(
        self, found: FoundFiles, catalog: Catalog, reading: Reading, known: Callable[[str], Attributes] = lambda _: {}
    ) -> Source:
        """The source of these files, narrowed as the config says; `known` says what a stem tells of its scene."""
        store = Store(self.root)
        scenes, unpaired = self.scenes(store, found, known)
        return selected(PairedSource(self.format, self.split, catalog, store, scenes, reading, unpaired), self)

    def scenes(
        self, store: Store, found: FoundFiles, known: Callable[[str], Attributes]
    ) -> tuple[dict[str, SceneFiles], tuple[Unpaired, ...]]:
        """Scenes by key, and what belongs to none; SourceError when there is no scene."""
        table = read_attributes(store, self.attributes) if self.attributes else AttributeTable()
        scenes, unpaired = _pair(found, lambda stem: {**known(stem), **table.of(stem)})
        if not scenes:
            raise SourceError(f"{self.root}: {_why_nothing(found)}")
        placed = (Unpaired(store.place(path), lacks) for path, lacks in unpaired)
        return scenes, (*placed, *table.unused(scenes))


def no_split(store: Store, split: str, splits: list[str], expected: str, what: str = "no label maps") -> SourceError:
    """The error for a split with nothing in it: what was looked for, and which splits there are."""
    if splits and split not in splits:
        return SourceError(f"{store.url}: {unknown_name('split', split, splits)}")
    return nothing_found(store, f"{what}; expected {expected}")


def nothing_found(store: Store, problem: str) -> SourceError:
    """The error for a source without scenes: this problem, or that not even its folder is there."""
    return SourceError(f"{store.url}: {problem if store.root_exists() else 'no such folder, or an empty one'}")


def _pair(found: FoundFiles, attributes: Callable[[str], Attributes]) -> tuple[dict[str, SceneFiles], list[Unpaired]]:
    scenes: dict[str, SceneFiles] = {}
    unpaired = [
        Unpaired(file.path, "no label map of this name")
        for files in (found.images, found.instances)
        for stem, file in files.items()
        if stem not in found.labels
    ]
    for key, stem in by_key(found.labels).items():
        lacks = [
            what
            for what, files in (("image", found.images), ("instance map", found.instances))
            if files and stem not in files
        ]
        if lacks:
            unpaired.append(Unpaired(found.labels[stem].path, f"no {' and no '.join(lacks)} of this name"))
            continue
        files = SceneFiles(found.labels[stem], found.instances.get(stem), found.images.get(stem), attributes(stem))
        scenes[key] = files
    return scenes, sorted(unpaired)


def _why_nothing(found: FoundFiles) -> str:
    for what, files in (("image", found.images), ("instance map", found.instances)):
        if files and not files.keys() & found.labels.keys():
            label, other = min(found.labels.values()), min(files.values())
            return f"no label map and {what} share a name: {label.path} and {other.path}, for example"
    return "no label map has both an image and an instance map of its name"
