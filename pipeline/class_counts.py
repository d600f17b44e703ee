"""How many pixels and instances of every class each scene of a source has, counted once and kept on this machine."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.instance_table import find_instances
from label_editing.scene import Scene
from pipeline.errors import SourceError, StorageError
from pipeline.local_cache import local_cache
from pipeline.resolution import Resolution
from pipeline.sources.base import Source

Weights = npt.NDArray[np.float64]

_FORMAT = 1
_READERS = 8


class Counted(NamedTuple):
    """Pixels and instances of every class id (columns) in every scene (rows)."""

    pixels: Weights
    instances: Weights


def kept_counts(source: Source, resolution: Resolution | None) -> Counted:
    """The counts of a whole source, from this machine's cache where it has them."""
    cache, path = local_cache(), _path(source, resolution)
    with suppress(
        StorageError, ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile
    ):  # counting again mends any damage
        arrays = np.load(io.BytesIO(cache.read(path)), allow_pickle=False)
        found = Counted(arrays["pixels"], arrays["instances"])
        if found.pixels.shape == found.instances.shape == (len(source.keys()), source.catalog.max_id + 1):
            return found
    counted = count_classes(source, source.keys(), resolution)
    data = io.BytesIO()
    np.savez_compressed(data, pixels=counted.pixels, instances=counted.instances)
    with suppress(StorageError):  # a home that cannot be written to costs time alone
        cache.write_atomic(path, data.getvalue())
    return counted


def has_counts(source: Source, resolution: Resolution | None) -> bool:
    """Whether `kept_counts` has nothing to count."""
    return local_cache().exists(_path(source, resolution))


def _path(source: Source, resolution: Resolution | None) -> str:
    made_of = f"{_FORMAT} {source.fingerprint()} {resolution}"
    return f"classes-{sha256(made_of.encode()).hexdigest()[:16]}.npz"


def count_classes(source: Source, keys: Sequence[str], resolution: Resolution | None) -> Counted:
    """What each of these scenes holds; a broken one counts as empty."""

    def count(key: str) -> Counted:
        try:
            return _counts(source.read_scene(key, resolution), source.catalog)
        except SourceError:
            # Counted as failed where samples are made of it.
            return Counted(np.zeros(source.catalog.max_id + 1), np.zeros(source.catalog.max_id + 1))

    with ThreadPoolExecutor(_READERS) as threads:
        found = list(threads.map(count, keys))
    return Counted(np.array([c.pixels for c in found]), np.array([c.instances for c in found]))


def _counts(scene: Scene, catalog: Catalog) -> Counted:
    size = catalog.max_id + 1
    pixels = np.bincount(scene.labels.ravel(), minlength=size).astype(np.float64)
    found: Mapping[int, object] = {} if scene.instances is None else find_instances(scene.instances)
    return Counted(pixels, np.bincount([i // 1000 for i in found], minlength=size).astype(np.float64))
