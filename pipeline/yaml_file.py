"""YAML read safely, with the place of every key and value: plain data only, bounded in size, depth and aliases."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

_MOST_BYTES = 512 * 1024
_MOST_VALUES = 50_000  # counted after aliases are followed, so that a bomb of aliases stops here
_MOST_DEPTH = 40

_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


@dataclass(frozen=True, order=True)
class Place:
    """Where a key or value stands: a line and column of a file, or, when `override` is set, a `--set`."""

    override: str = ""
    line: int = 1
    column: int = 1


@dataclass
class Document:
    """What a text says, where each part of it stands, and what is wrong with it as YAML.

    Paths are tuples of keys and list positions, all as strings, so that a key `0` and position 0 look up alike.
    """

    data: Any = None
    keys: dict[tuple[str, ...], Place] = field(default_factory=dict)
    values: dict[tuple[str, ...], Place] = field(default_factory=dict)
    problems: list[tuple[Place, Path, str]] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """Scalars as YAML 1.2 reads them: `1e-4` is a number; `no`, `1:30` and `2024-01-01` are text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own table

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """PyYAML's own, refusing nesting so deep that reading it would exhaust the stack."""
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            peek: Callable[[], Any] = self.peek_event  # its type is left out of the stubs
            raise yaml.MarkedYAMLError(None, None, f"nested more than {_MOST_DEPTH} deep", peek().start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _resolve(kind: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), list(first) if first else [""])


_resolve("bool", r"^(?:true|True|false|False)$", "tTfF")
_resolve("null", r"^(?:~|null|Null|NULL|)$", "~nN")
_resolve("null", r"^$", "")
_resolve("int", r"^[-+]?[0-9]+$|^0x[0-9a-fA-F]+$", "-+0123456789")
_resolve(
    "float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$|^[-+]?[0-9]+[eE][-+]?[0-9]+$", "-+.0123456789"
)


def read_yaml(text: str, override: str = "") -> Document:
    """Parse one YAML document. Nothing raises: what is wrong stands in `problems`."""
    document = Document()
    if len(text) > _MOST_BYTES:
        note = f"{len(text)} characters is too large for a config; at most {_MOST_BYTES}"
        document.problems.append((Place(override), (), note))
        return document
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        document.problems.append((*_syntax_problem(error, text, override),))
        return document
    _Reader(document, override).read(node)
    return document


class _Reader:
    """Turns nodes into plain data, noting places and problems on the way."""

    def __init__(self, document: Document, override: str) -> None:
        self._document = document
        self._override = override
        self._left = _MOST_VALUES
        self._open: list[yaml.Node] = []

    def read(self, node: yaml.Node | None) -> None:
        data = None if node is None else self._value(node, ())
        # Past the limit the rest was not read, and every message about it would mislead.
        self._document.data = data if self._left > 0 else None

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._document.values[as_text(path)] = self._place(node)
        self._left -= 1
        if self._left <= 0 or node in self._open:
            if self._left == 0 or node in self._open:
                self._problem(node, path, _refusal(node in self._open))
            return None
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return dict(self._pairs(node, path))
            if isinstance(node, yaml.SequenceNode):
                return [self._value(child, (*path, i)) for i, child in enumerate(node.value) if self._left > 0]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        if node.tag != "tag:yaml.org,2002:map":
            self._problem(node, path, f"unknown tag {_tag(node)}; a config holds plain values only")
        seen: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            if self._left <= 0:
                return
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in seen:
                first = seen[key].start_mark.line + 1
                self._problem(key_node, (*path, key), f"key {key!r} given twice; the first is on line {first}")
                continue
            seen[key] = key_node
            self._document.keys[as_text((*path, key))] = self._place(key_node)
            yield key, self._value(value_node, (*path, key))

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        plain = isinstance(node, yaml.ScalarNode) and node.tag.rpartition(":")[2] in ("str", "int")
        if not plain or not _encodes(node.value):
            found = f"{node.value!r}" if isinstance(node, yaml.ScalarNode) else "a list or block"
            self._problem(
                node, path, f"expected a name as key, found {found}; text with special characters needs quotes"
            )
            return None
        return str(node.value)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), node.value
        if not _encodes(text):
            self._problem(node, path, "text that is not valid Unicode (half a surrogate pair)")
            return ""
        if "\0" in text:
            self._problem(node, path, "text with a NUL character, which no name or path can have")
            return ""
        if kind == "str":
            return text
        try:
            return _plain(kind, text)
        except KeyError:
            self._problem(node, path, f"unknown tag {_tag(node)}; a config holds plain values only")
        except ValueError:
            self._problem(node, path, f"{text[:40]!r} is no {kind} that fits")
        return None

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._override, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, node: yaml.Node, path: Path, note: str) -> None:
        self._document.problems.append((self._place(node), path, note))


def as_text(path: Path) -> tuple[str, ...]:
    """The path as places are looked up by."""
    return tuple(map(str, path))


def _plain(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return _BOOLEANS[text]
    if kind == "int":
        number = int(text, 16 if text.lower().startswith("0x") else 10)
        if abs(number) >= 2**63:
            raise ValueError("beyond 64 bits")
        return number
    if kind == "float":
        value = float(text)
        if not math.isfinite(value):
            raise ValueError("not finite")
        return value
    raise KeyError(kind)


def _refusal(recursive: bool) -> str:
    if recursive:
        return "an alias that contains itself"
    return f"more than {_MOST_VALUES} values once aliases are followed; write them out or split the file"


def _tag(node: yaml.Node) -> str:
    return node.tag.replace("tag:yaml.org,2002:", "!!")[:60]


def _encodes(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _syntax_problem(error: yaml.YAMLError, text: str, override: str) -> tuple[Place, Path, str]:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        place = Place(override, before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        return place, (), f"not valid YAML: the unprintable character {chr(error.character)!r}"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(override, mark.line + 1, mark.column + 1) if mark is not None else Place(override)
    return place, (), f"not valid YAML: {_syntax_note(error)}"


def _syntax_note(error: yaml.YAMLError) -> str:
    note = str(getattr(error, "problem", None) or error).replace("\n", " ")
    if "'\\t'" in note:
        return "a tab; indent with spaces"
    if "undefined alias" in note or "while scanning an alias" in str(getattr(error, "context", "")):
        return f"{note}; a value that starts with * or & needs quotes"
    if "but found another document" in note:
        return "more than one document; a config is one"
    if "mapping values are not allowed" in note:
        return f"{note}; check the indentation, and put values that contain ': ' in quotes"
    if "cannot start any token" in note:
        return f"{note}; put the value in quotes"
    return note
