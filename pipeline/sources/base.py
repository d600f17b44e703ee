"""What a source is: scenes by key, with their real images where there are any, read lazily."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from label_editing.catalog import Catalog
from label_editing.scene import Scene
from pipeline.resolution import Resolution

Image = npt.NDArray[np.uint8]  # height x width x 3, RGB


class Pair(NamedTuple):
    """A scene and its real image, None where the source has labels only."""

    scene: Scene
    image: Image | None


class Unpaired(NamedTuple):
    """A file that belongs to no complete scene, and what it lacks: `no label map`."""

    path: str
    lacks: str


class Source(ABC):
    """Scenes by key. Opening lists names and reads no pixel; an instance pickles and is read from many workers.

    Keys are flat, unique and made of [A-Za-z0-9_-]; `keys()` is sorted and the same on every machine.
    """

    format: str
    split: str
    catalog: Catalog
    paired: bool = True  # False: an image does not show the label map it comes with

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Every key, sorted. SourceError when there is nothing."""

    @abstractmethod
    def attributes(self, key: str) -> Mapping[str, str]:
        """What is known of a scene without reading pixels: time_of_day, weather, city, sequence."""

    @abstractmethod
    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        """The checked scene, at its own size or resized (nearest). SourceError names the file that is wrong."""

    @abstractmethod
    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        """The real image, at its own size or resized; None where there is none."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A short hash over what would be read: format, options, keys, and sizes of files or seed and version."""

    def unpaired(self) -> Sequence[Unpaired]:
        """Files that were found but belong to no complete scene."""
        return ()

    def has_image(self, key: str) -> bool:
        """Whether there is a real image of the scene, told without reading it."""
        return True

    def files(self, key: str) -> Sequence[str]:
        """Where a scene is read from, for messages; nothing when it is made up."""
        return ()

    def read(self, key: str, resolution: Resolution | None = None) -> Pair:
        """Scene and image of one key. A source whose two halves share work overrides this."""
        return Pair(self.read_scene(key, resolution), self.read_image(key, resolution))


class SourceConfig(BaseModel, ABC):
    """The `source:` block of a recipe or training config; one subclass a format, tagged by its `format` literal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    split: str = Field(default="train", description="which part of the data set")
    select: str = Field(default="*", description="only scenes whose key matches this glob pattern")
    where: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="only scenes with these attributes, as in {time_of_day: [dusk, night]}"
    )

    @abstractmethod
    def open(self) -> Source:
        """The source; SourceError when it is not there or not what it says it is."""

    def anchored(self) -> Self:
        """With a relative root made absolute: workers on other machines have another working directory."""
        root = getattr(self, "root", None)
        if not isinstance(root, str) or "://" in root:
            return self
        return self.model_copy(update={"root": str(Path(root).expanduser().absolute())})
