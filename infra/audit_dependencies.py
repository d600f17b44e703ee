"""What `make check` can say of the dependencies without asking anybody: python infra/audit_dependencies.py

Everything that synthgen pulls in is pinned, is installed as pinned, comes from a package index, has a licence that the
project bears, and is no version of which `known_vulnerabilities.txt` says that it is unsafe; and no lower bound in
pyproject.toml lets such a version in. The list is kept by hand: for news of the day there is `make audit`, which asks
the advisory service of the package index and so needs a network.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LICENCES = re.compile(
    r"\b(?:apache|0?bsd|mit|iscl?|mpl|mozilla public|python software foundation|psf|unlicense|zlib|hpnd"
    r"|historical permission|public domain|cnri)\b",
    re.IGNORECASE,
)
# Beside another licence this may be a choice or an addition: somebody has to read which.
TO_BE_READ = re.compile(r"\b(?:[al]?gpl(?:v?\d)?|gnu|proprietary|commercial)\b", re.IGNORECASE)
# Their metadata names no licence, or one in other words; read by hand.
READ_BY_HAND = {"synthgen"}


class Advisory(NamedTuple):
    """Versions of a package before `safe` have a known hole."""

    name: str
    safe: Version
    what: str


def main() -> int:
    """Print every problem; 1 when there is one."""
    pins = _pins()
    installed = dict(_closure("synthgen"))
    problems = [
        *(problem for name, found in installed.items() for problem in _problems(name, found, pins)),
        *_unsafe(installed),
        *_low_bounds(),
    ]
    print("\n".join(problems) or f"{len(installed)} packages: pinned, as pinned, licensed, none known to be unsafe")
    return int(bool(problems))


def _pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(version.strip()) for name, _, version in pinned}


def _closure(top: str) -> Iterator[tuple[str, Distribution]]:
    """What is installed of everything that `top`, with its development tools, asks for, directly or not."""
    seen, left = set(), [Requirement(f"{top}[dev]")]
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        key = name, tuple(sorted(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        yield name, found
        for text in found.requires or ():
            more = Requirement(text)
            if any(more.marker is None or more.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                left.append(more)


def _problems(name: str, found: Distribution, pins: dict[str, Version]) -> Iterator[str]:
    version = Version(found.version)
    if name in READ_BY_HAND:
        return
    if name not in pins:
        yield f"{name} {version}: not in constraints.txt"
    elif version.public != pins[name].public:
        yield f"{name}: {version} is installed, constraints.txt says {pins[name]}; run make install"
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin:
        yield f"{name} {version}: installed from {origin.get('url')}, not from a package index"
    said = _licence(found)
    if not LICENCES.search(said) or TO_BE_READ.search(said):
        yield f"{name} {version}: its licence is {said[:80]!r}; read it, and add it to READ_BY_HAND if it can be borne"


def _licence(found: Distribution) -> str:
    about = found.metadata
    classifiers = [text.rpartition("::")[2] for text in about.get_all("Classifier") or () if text.startswith("License")]
    return "; ".join(filter(None, [about.get("License-Expression"), *classifiers, (about.get("License") or "")[:200]]))


def _advisories() -> list[Advisory]:
    lines = (ROOT / "infra/known_vulnerabilities.txt").read_text().splitlines()
    rows = (line.split(None, 2) for line in lines if line and not line.startswith("#"))
    return [Advisory(canonicalize_name(name), Version(safe), what) for name, safe, what in rows]


def _unsafe(installed: dict[str, Distribution]) -> Iterator[str]:
    for name, safe, what in _advisories():
        if name in installed and Version(installed[name].version) < safe:
            yield f"{name} {installed[name].version}: {what}; safe from {safe}"


def _low_bounds() -> Iterator[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    for wanted in map(Requirement, texts):
        for name, safe, what in _advisories():
            lowest = [Version(bound.version) for bound in wanted.specifier if bound.operator == ">="]
            if canonicalize_name(wanted.name) == name and (not lowest or max(lowest) < safe):
                yield f"pyproject.toml: {wanted} lets in {name} before {safe}: {what}"


if __name__ == "__main__":
    sys.exit(main())
