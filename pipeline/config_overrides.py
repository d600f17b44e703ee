"""`--set a.b=c`: one value of a config replaced from the command line, with its own place in messages."""

from collections.abc import Sequence
from typing import Any

from pipeline.yaml_file import Document, Place, as_text, read_yaml


def as_run(text: str, overrides: Sequence[str]) -> str:
    """A config as pages show it: the file, and what the command line replaced in it."""
    end = "" if text.endswith("\n") else "\n"
    return text + (end + "".join(f"# --set {override}\n" for override in overrides) if overrides else "")


def apply_overrides(document: Document, overrides: list[str]) -> None:
    """Write each `path=value` into the document, in order; what cannot be written becomes a problem of it."""
    for override in overrides:
        _apply(document, override)


def _apply(document: Document, override: str) -> None:
    target, equals, text = override.partition("=")
    origin = f"--set {target.strip()}"
    steps = [s.strip() for s in target.split(".")]
    if not equals or not all(steps):
        note = "expected KEY=VALUE, such as output.root=out or edits.0.probability=1"
        document.problems.append((Place(f"--set {override}"), (), note))
        return
    value = read_yaml(text, origin)
    if value.problems:
        document.problems.extend((place, (), note) for place, _, note in value.problems)
        return
    if document.data is None:
        document.data = {}
    problem = _write(document, tuple(steps), value, origin)
    if problem:
        document.problems.append((Place(origin), (), problem))


def _write(document: Document, steps: tuple[str, ...], value: Document, origin: str) -> str | None:
    parent: Any = document.data
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        if isinstance(parent, dict):
            if not last and parent.get(step) is None:
                parent[step] = {}
            slot: Any = step
        elif isinstance(parent, list):
            if not step.isdigit() or int(step) >= len(parent) + last:
                return _no_such_item(steps, i, len(parent), last)
            slot = int(step)
            if slot == len(parent):
                parent.append(None)
        else:
            above = ".".join(steps[:i])
            return f"{above} is {parent!r}, which has no keys; set it as a whole, as in {above}={{...}}"
        if last:
            parent[slot] = value.data
        else:
            parent = parent[slot]
    _move_places(document, steps, value, origin)
    return None


def _no_such_item(steps: tuple[str, ...], i: int, length: int, last: bool) -> str:
    where = ".".join(steps[:i])
    if not steps[i].isdigit():
        return f"{where} is a list: expected a position from 0, found {steps[i]!r}"
    more = f"; {where}.{length} adds one" if last else ""
    return f"{where} has {length} item{'' if length == 1 else 's'}, so {steps[i]} is beyond its end{more}"


def _move_places(document: Document, steps: tuple[str, ...], value: Document, origin: str) -> None:
    """The old value's places go, the new one's stand under its path; blocks made on the way belong to the override."""
    for places in (document.keys, document.values):
        for path in [p for p in places if p[: len(steps)] == steps]:
            del places[path]
    for i in range(1, len(steps) + 1):
        document.keys.setdefault(steps[:i], Place(origin))
        document.values.setdefault(steps[:i], Place(origin))
    for source, target in ((value.keys, document.keys), (value.values, document.values)):
        for path in source:
            target[(*steps, *as_text(path))] = Place(origin)
