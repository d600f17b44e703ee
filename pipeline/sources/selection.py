"""Which scenes of a source are used: by key pattern and by attributes."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

from label_editing.names import unknown_name
from label_editing.scene import Scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Pair, Source, SourceConfig, Unpaired

_READERS = 16  # attributes may stand in a file a scene: on object storage each is a round trip


class SelectionError(SourceError):
    """What a source was to be narrowed to is not there. Knows the source as it is, and where in its block it stands."""

    def __init__(self, source: Source, path: tuple[str, ...], note: str, *, is_key: bool = False) -> None:
        super().__init__(f"{'.'.join(path[:1] if is_key else path)}: {note}")
        self.source, self.path, self.note, self.is_key = source, path, note, is_key


def selected(source: Source, config: SourceConfig) -> Source:
    """The source as `select` and `where` of its config narrow it; SourceError when nothing is left."""
    if config.select == "*" and not config.where:
        return source
    keys = source.keys()
    chosen = [key for key in keys if fnmatchcase(key, config.select)]
    if not chosen:
        note = f"no key matches {config.select!r}; the first of {len(keys)} is {keys[0]!r}"
        raise SelectionError(source, ("select",), note)
    if config.where:
        chosen = _with_attributes(source, chosen, config.where)
    return SelectedSource(source, tuple(chosen))


def keys_with_images(source: Source) -> tuple[str, ...]:
    """The scenes that have a real image to learn from or to compare with, in order."""
    return tuple(key for key in source.keys() if source.has_image(key))


class SelectedSource(Source):
    """Some scenes of another source."""

    def __init__(self, source: Source, keys: tuple[str, ...]) -> None:
        self.format, self.split, self.catalog = source.format, source.split, source.catalog
        self.paired = source.paired
        self._source = source
        self._keys = keys
        self._chosen = frozenset(keys)

    def keys(self) -> Sequence[str]:
        return list(self._keys)

    def attributes(self, key: str) -> Mapping[str, str]:
        return self._source.attributes(self._known(key))

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        return self._source.read_scene(self._known(key), resolution)

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return self._source.read_image(self._known(key), resolution)

    def read(self, key: str, resolution: Resolution | None = None) -> Pair:
        return self._source.read(self._known(key), resolution)

    def unpaired(self) -> Sequence[Unpaired]:
        return self._source.unpaired()

    def has_image(self, key: str) -> bool:
        return self._source.has_image(self._known(key))

    def files(self, key: str) -> Sequence[str]:
        return self._source.files(self._known(key))

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self._source.fingerprint().encode())
        for key in self._keys:
            digest.update(f"{key}\n".encode())
        return digest.hexdigest()[:16]

    def _known(self, key: str) -> str:
        if key not in self._chosen:
            raise SourceError(f"scene {key!r} is not among the {len(self._keys)} selected")
        return key


def attributes_of(source: Source, keys: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """The attributes of many scenes, read side by side."""
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(keys, pool.map(source.attributes, keys), strict=True))


def _with_attributes(source: Source, keys: Sequence[str], where: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    known = attributes_of(source, keys)
    left = list(keys)
    for name, value in where.items():
        values = (value,) if isinstance(value, str) else value
        _check_known(source, known, name, values)
        left = [key for key in left if known[key].get(name) in values]
    if not left:
        asked = " and ".join(f"{name} {value!r}" for name, value in where.items())
        raise SelectionError(source, ("where",), f"no scene has {asked} together")
    return left


def _check_known(source: Source, known: Mapping[str, Mapping[str, str]], name: str, values: Sequence[str]) -> None:
    names = sorted({name for attributes in known.values() for name in attributes})
    if not names:
        note = f"the scenes of this source have no attributes, so none has {name!r}"
        raise SelectionError(source, ("where", name), note, is_key=True)
    if name not in names:
        raise SelectionError(source, ("where", name), unknown_name("attribute", name, names), is_key=True)
    there = sorted({attributes[name] for attributes in known.values() if name in attributes})
    for value in values:
        if value not in there:
            raise SelectionError(source, ("where", name), unknown_name("value", value, there))
