"""A source in another label space: each class under the name that the other catalog has for it."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from label_editing.catalog import INSTANCES_PER_CLASS, Catalog
from label_editing.scene import LabelMap, Scene, check_scene
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source, Unpaired
from pipeline.sources.instances import number_instances


class MappedSource(Source):
    """Scenes of another source, their ids looked up; instances are numbered anew where classes merge."""

    def __init__(self, source: Source, catalog: Catalog, classes: Mapping[str, str]) -> None:
        self.format, self.split, self.catalog = source.format, source.split, catalog
        self.paired = source.paired
        self._source, self._classes = source, dict(classes)
        self._ids = np.zeros(len(source.catalog.known), np.uint16)
        for own, other in classes.items():
            self._ids[source.catalog.named(own).id] = catalog.named(other).id

    def keys(self) -> Sequence[str]:
        return self._source.keys()

    def attributes(self, key: str) -> Mapping[str, str]:
        return self._source.attributes(key)

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        scene = self._source.read_scene(key, resolution)
        ids = self._ids[scene.labels]
        labels: LabelMap = ids.astype(np.uint8) if self.catalog.max_id <= 255 else ids
        instances = None
        if scene.instances is not None:
            separated = np.where(scene.instances >= INSTANCES_PER_CLASS, scene.instances, 0)
            instances = number_instances(separated, labels, self.catalog)
        mapped = Scene(labels, instances, self.catalog, scene.key, scene.attributes)
        check_scene(mapped)
        return mapped

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return self._source.read_image(key, resolution)

    def has_image(self, key: str) -> bool:
        return self._source.has_image(key)

    def files(self, key: str) -> Sequence[str]:
        return self._source.files(key)

    def unpaired(self) -> Sequence[Unpaired]:
        return self._source.unpaired()

    def fingerprint(self) -> str:
        said = json.dumps([self._source.fingerprint(), self.catalog.name, sorted(self._classes.items())])
        return hashlib.sha256(said.encode()).hexdigest()[:16]
