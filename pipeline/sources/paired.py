"""A source made of files: a label map a scene, with its image and instance map where there are any, paired by name."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.scene import InstanceMap, LabelMap, Scene, check_scene
from pipeline.errors import MissingFileError, SourceError, UnknownIdsError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Pair, Source, Unpaired
from pipeline.sources.instances import InstanceDecoder
from pipeline.sources.pixels import decode_ids, decode_image, resize_ids, resize_image
from pipeline.storage import StoredFile

T = TypeVar("T")
LabelDecoder = Callable[[npt.NDArray[Any], Catalog], LabelMap]


class SceneFiles(NamedTuple):
    """What one scene is read from."""

    labels: StoredFile
    instances: StoredFile | None = None
    image: StoredFile | None = None
    attributes: Mapping[str, str] = {}


class Files(Protocol):
    """Where files are read from: a Store, or something that stands in for one."""

    @property
    def url(self) -> str: ...

    def place(self, path: str) -> str:
        """The path as a user would write it, for messages."""

    def read(self, path: str) -> bytes:
        """The whole file."""


@dataclass(frozen=True)
class Reading:
    """How the pixels of a format become maps. The functions stand at the top of modules, so that sources pickle."""

    instances: InstanceDecoder | None = None  # of an instance file
    labels: LabelDecoder | None = None  # where the stored numbers are not the class ids
    without_file: Callable[[LabelMap, Catalog], InstanceMap] | None = None  # instances made from labels alone


@dataclass(frozen=True)
class PairedSource(Source):
    """Reads scenes from files that a format's config has paired."""

    format: str
    split: str
    catalog: Catalog
    store: Files
    scenes: Mapping[str, SceneFiles]  # by key, sorted
    reading: Reading = field(default_factory=Reading)
    left_over: tuple[Unpaired, ...] = ()

    def keys(self) -> Sequence[str]:
        return list(self.scenes)

    def attributes(self, key: str) -> Mapping[str, str]:
        return dict(self._files(key).attributes)

    def unpaired(self) -> Sequence[Unpaired]:
        return self.left_over

    def has_image(self, key: str) -> bool:
        return self._files(key).image is not None

    def files(self, key: str) -> tuple[str, ...]:
        files = self._files(key)
        return tuple(self.store.place(f.path) for f in (files.labels, files.instances, files.image) if f is not None)

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        files = self._files(key)
        labels = self._labels(files)
        scene = Scene(labels, self._instances(files, labels), self.catalog, key, self.attributes(key))
        # What is wrong with the labels alone was found above.
        self._explained(files.instances or files.labels, lambda: check_scene(scene))
        return scene if resolution is None else _resized(scene, resolution)

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        file = self._files(key).image
        if file is None:
            return None
        data = self._data(file)
        image = self._explained(file, lambda: decode_image(data))
        return image if resolution is None else resize_image(image, resolution)

    def read(self, key: str, resolution: Resolution | None = None) -> Pair:
        scene, image = self.read_scene(key), self.read_image(key)
        if image is not None and image.shape[:2] != scene.labels.shape:
            files = self._files(key)
            assert files.image is not None
            raise SourceError(
                f"{self.store.place(files.image.path)} is {image.shape[1]}x{image.shape[0]}, its label map "
                f"{self.store.place(files.labels.path)} is {scene.width}x{scene.height}"
            )
        if resolution is None:
            return Pair(scene, image)
        return Pair(_resized(scene, resolution), None if image is None else resize_image(image, resolution))

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"{self.format} {self.split} {self.catalog.model_dump_json()}".encode())
        for decode in (self.reading.instances, self.reading.labels, self.reading.without_file):
            digest.update(f"{decode.__name__ if decode else '-'}\n".encode())
        for key, files in self.scenes.items():
            sizes = [-1 if file is None else file.size for file in files[:3]]
            digest.update(f"{key} {sizes} {sorted(files.attributes.items())}\n".encode())
        return digest.hexdigest()[:16]

    def _files(self, key: str) -> SceneFiles:
        try:
            return self.scenes[key]
        except KeyError:
            raise SourceError(f"{self.store.url}: no scene {key!r} in the {self.split} split") from None

    def _labels(self, files: SceneFiles) -> LabelMap:
        ids = self._ids(files.labels)
        if self.reading.labels is not None:
            decode = self.reading.labels
            ids = self._explained(files.labels, lambda: decode(ids, self.catalog))
        if ids.dtype.kind != "u":
            place = self.store.place(files.labels.path)
            raise SourceError(f"{place}: holds colours, not class ids; give the single-channel label map")
        self._check_known(files.labels, ids)
        return ids.astype(np.uint8, copy=False) if self.catalog.max_id <= 255 else ids.astype(np.uint16, copy=False)

    def _check_known(self, file: StoredFile, ids: npt.NDArray[Any]) -> None:
        pixels, known = np.bincount(ids.ravel()), self.catalog.known
        strange = [i for i in np.flatnonzero(pixels).tolist() if i >= len(known) or not known[i]]
        if strange:
            counts = {i: int(pixels[i]) for i in strange}
            raise UnknownIdsError(self.store.place(file.path), self.catalog.name, counts)

    def _instances(self, files: SceneFiles, labels: LabelMap) -> InstanceMap | None:
        if files.instances is None:
            return self.reading.without_file(labels, self.catalog) if self.reading.without_file else None
        ids = self._ids(files.instances)
        if ids.shape != labels.shape:
            raise SourceError(
                f"{self.store.place(files.instances.path)} is {ids.shape[1]}x{ids.shape[0]}, its label map "
                f"{self.store.place(files.labels.path)} is {labels.shape[1]}x{labels.shape[0]}"
            )
        decode = self.reading.instances
        assert decode is not None, "instance files without a way to read them"
        return self._explained(files.instances, lambda: decode(ids, labels, self.catalog))

    def _ids(self, file: StoredFile) -> npt.NDArray[Any]:
        data = self._data(file)
        return self._explained(file, lambda: decode_ids(data))

    def _data(self, file: StoredFile) -> bytes:
        try:
            return self.store.read(file.path)
        except MissingFileError as error:
            # One file that is gone is one broken scene; storage that is away is not the scene's fault.
            raise SourceError(str(error)) from error

    def _explained(self, file: StoredFile, step: Callable[[], T]) -> T:
        try:
            return step()
        except ValueError as error:
            raise SourceError(f"{self.store.place(file.path)}: {error}") from error


def _resized(scene: Scene, size: Resolution) -> Scene:
    instances = None if scene.instances is None else resize_ids(scene.instances, size)
    return scene.with_maps(resize_ids(scene.labels, size), instances)
