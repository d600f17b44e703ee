"""Pairing by name: what a glob pattern's wildcards match is the stem, and a stem makes the key."""

import re
from collections.abc import Iterable, Mapping

from pipeline.errors import SourceError
from pipeline.storage import StoredFile

_WILDCARD = re.compile(r"\*\*/|\*|\?")
_AS_REGEX = {"**/": "((?:[^/]+/)*)", "*": "([^/]*)", "?": "([^/])"}


def key_of(stem: str) -> str:
    """A stem as a key: everything outside [A-Za-z0-9_-] becomes an underscore."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", stem)


def fixed_folder(pattern: str) -> str:
    """The folder before the first wildcard: all a listing has to look at."""
    wildcard = _WILDCARD.search(pattern)
    return pattern[: wildcard.start() if wildcard else None].rpartition("/")[0]


def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern of `*`, `?` and `**/` as a regular expression whose groups are what the wildcards match."""
    parts, at = [], 0
    for wildcard in _WILDCARD.finditer(pattern):
        parts += [re.escape(pattern[at : wildcard.start()]), _AS_REGEX[wildcard[0]]]
        at = wildcard.end()
    return re.compile("".join([*parts, re.escape(pattern[at:])]))


def by_stem(files: Iterable[StoredFile], pattern: str, folders: bool = True) -> dict[str, StoredFile]:
    """The files that match, by stem, which `**/` adds to where `folders` count; SourceError when two have the same."""
    expression = matcher(pattern)
    found: dict[str, StoredFile] = {}
    for file in files:
        match = expression.fullmatch(file.path)
        if match is None:
            continue
        stem = "".join(part for part in match.groups() if folders or not part.endswith("/"))
        if stem in found:
            raise SourceError(f"{found[stem].path} and {file.path} have the same name {stem!r}; rename one")
        found[stem] = file
    return found


def by_key(stems: Mapping[str, StoredFile]) -> dict[str, str]:
    """Key to stem, sorted; SourceError names both files when two stems make one key."""
    keys: dict[str, str] = {}
    for stem, file in stems.items():
        key = key_of(stem)
        if not key:
            raise SourceError(f"{file.path}: nothing of its name is left for a key")
        if key in keys:
            raise SourceError(f"{stems[keys[key]].path} and {file.path} both make the key {key!r}; rename one")
        keys[key] = stem
    return dict(sorted(keys.items()))
