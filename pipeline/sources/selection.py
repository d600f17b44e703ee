"""Which scenes of a source are used: by key pattern and by attributes."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from label_editing.names import unknown_name
from pipeline.errors import SourceError

Wanted = Mapping[str, str | tuple[str, ...]]


def select_keys(
    keys: Sequence[str], attributes: Callable[[str], Mapping[str, str]], select: str, where: Wanted
) -> list[str]:
    """The keys that match the glob `select` and have the attributes `where` asks for; SourceError when none has."""
    chosen = [key for key in keys if fnmatchcase(key, select)]
    if not chosen:
        raise SourceError(f"select: no key matches {select!r}; the first of {len(keys)} is {keys[0]!r}")
    if not where:
        return chosen
    known = {key: attributes(key) for key in chosen}
    for name, value in where.items():
        chosen = _having(chosen, known, name, (value,) if isinstance(value, str) else value)
    if not chosen:
        asked = ", ".join(f"{name} {value!r}" for name, value in where.items())
        raise SourceError(f"where: no scene has all of {asked}")
    return chosen


def _having(
    chosen: Sequence[str], known: Mapping[str, Mapping[str, str]], name: str, values: tuple[str, ...]
) -> list[str]:
    names = sorted({name for attributes in known.values() for name in attributes})
    if name not in names:
        raise SourceError(f"where: {unknown_name('attribute', name, names) if names else 'no scene has attributes'}")
    there = sorted({attributes[name] for attributes in known.values() if name in attributes})
    for value in values:
        if value not in there:
            raise SourceError(f"where: {unknown_name(f'{name} value', value, there)}")
    return [key for key in chosen if known[key].get(name) in values]
