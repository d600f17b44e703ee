"""Reads a YAML file into a strict model, or reports every mistake in it at once, each with file, line and column."""

import copy
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.config_overrides import apply_overrides
from pipeline.config_problems import Problem, explain, found
from pipeline.configs import ConfigKind, find_config, for_another_command
from pipeline.errors import ConfigError, InputError
from pipeline.yaml_file import Document, Place, as_text, read_yaml

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Loaded(Generic[M]):
    """A config that was read: its value, and what is needed to say where in the file a value stands."""

    value: M
    path: Path
    text: str
    resolved: dict[str, Any]  # the plain data after overrides, as `value` was made from
    shown_as: str
    document: Document

    def fail(self, problems: Iterable[Problem]) -> NoReturn:
        """Raise ConfigError with what only later checks could see."""
        raise ConfigError(_Places(self.document, self.shown_as).lines(problems, self.document))


_KINDS = ("family", "format", "op")  # keys that say which others their block may have

Further = Callable[[dict[str, Any]], Iterable[Problem]]


def _nothing_further(_data: dict[str, Any]) -> Iterable[Problem]:
    return ()


def load_config(
    model: type[M],
    path_or_name: str | Path,
    kind: ConfigKind,
    overrides: Sequence[str] = (),
    further: Further = _nothing_further,
) -> Loaded[M]:
    """Read a config by path, or by bare name from configs/<kind>; ConfigError holds every mistake.

    `further` looks at a faulty config for mistakes that later checks would find, so that all are told together.
    """
    path = find_config(str(path_or_name), kind)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    # What reads a part that every kind has, as the source, takes any.
    whole = kind if "model" in model.model_fields else None
    return parse_config(model, _decode(raw, _shown(path)), _shown(path), overrides, path, further, whole)


def parse_config(
    model: type[M],
    text: str,
    shown_as: str,
    overrides: Sequence[str] = (),
    path: Path | None = None,
    further: Further = _nothing_further,
    kind: ConfigKind | None = None,
) -> Loaded[M]:
    """The same for a text that is no file, such as the recipe inside a data set; `shown_as` names it in messages."""
    document = read_yaml(text)
    _check_kind(document.data, shown_as, kind)
    places = _Places(document, shown_as)
    if document.problems and document.data is None:
        raise ConfigError(places.lines([], document))
    apply_overrides(document, list(overrides))
    if not isinstance(document.data, dict):
        keys = ", ".join(info.alias or name for name, info in list(model.model_fields.items())[:4])
        what = "the file is empty" if document.data is None else f"found {found(document.data)}"
        raise ConfigError([places.line(Problem((), f"expected keys such as {keys}; {what}"))])
    resolved = copy.deepcopy(document.data)
    problems: list[Problem] = []
    try:
        value = model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        problems = _without_left_over(explain(error, model), document, text)
        places.blame(_broken_by_overrides(problems, model, text, overrides))
    if problems or document.problems:
        raise ConfigError(places.lines([*problems, *further(resolved)], document))
    return Loaded(value, path or Path(shown_as), text, resolved, shown_as, document)


def _check_kind(data: Any, shown_as: str, kind: ConfigKind | None) -> None:
    """A recipe for a training config or the other way round is one mistake, not as many as it has keys."""
    model = data.get("model") if isinstance(data, dict) else None
    actual: ConfigKind | None = None
    if isinstance(model, dict) and "family" in model:
        actual = "train"
    elif isinstance(model, str) and {"edits", "samples"} & data.keys():
        actual = "recipes"
    if kind and actual and actual != kind:
        raise ConfigError([f"{shown_as}:1:1: {for_another_command(shown_as, actual)}"])


def _without_left_over(problems: Sequence[Problem], document: Document, text: str) -> list[Problem]:
    """Keys of the file that a --set of their block's kind leaves behind: one mistake, and it is the --set's."""
    own = read_yaml(text).data
    kept, told = list(problems), []
    for path, place in document.values.items():
        if not place.override or not path or path[-1] not in _KINDS:
            continue
        now, before = (_value_at(data, path) for data in (document.data, own))
        block = path[:-1]
        of_file = [
            p
            for p in kept
            if p.at_key and as_text(p.path[:-1]) == block and not document.keys[as_text(p.path)].override
        ]
        if before is None or now == before or not of_file:
            continue
        kept = [p for p in kept if p not in of_file]
        keys, name = [str(p.path[-1]) for p in of_file], ".".join(block)
        note = (
            f"{name} of the file was written for {before}: {', '.join(keys)} {'does' if len(keys) == 1 else 'do'} "
            f"not go with {now}; start from a file of that kind, or give the block as a whole: --set "
            f"'{name}={{{path[-1]}: {now}, ...}}'"
        )
        told.append(Problem(path, note))
    return [*told, *kept]


def _value_at(data: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        elif isinstance(data, dict):
            data = data.get(step)
        else:
            return None
    return data


def _broken_by_overrides(
    problems: Sequence[Problem], model: type[BaseModel], text: str, overrides: Sequence[str]
) -> dict[tuple[str, ...], Place]:
    """Rules of whole blocks that the file keeps and overrides break: by block, the overrides in question."""
    of_blocks = [problem for problem in problems if problem.of_block]
    if not of_blocks or not overrides:
        return {}
    try:
        model.model_validate_json(json.dumps(read_yaml(text).data), strict=True)
        own = set()
    except ValidationError as error:
        own = {problem.path for problem in explain(error, model)}
    targets = [tuple(step.strip() for step in override.partition("=")[0].split(".")) for override in overrides]
    blamed = {}
    for problem in of_blocks:
        block = as_text(problem.path)
        inside = [target for target in dict.fromkeys(targets) if target[: len(block)] == block and target != block]
        words = set(re.findall(r"\w+", problem.note))
        # Those whose key the message speaks of, where it speaks of any.
        told = [target for target in inside if words & set(target[len(block) :])] or inside
        if told and problem.path not in own:
            blamed[block] = Place(" ".join(f"--set {'.'.join(target)}" for target in told))
    return blamed


class _Places:
    """Puts the place in front of a message."""

    def __init__(self, document: Document, shown_as: str) -> None:
        self._document = document
        self._shown_as = shown_as
        self._blamed: dict[tuple[str, ...], Place] = {}

    def blame(self, places: dict[tuple[str, ...], Place]) -> None:
        """Places of blocks that stand for those in the file."""
        self._blamed = places

    def lines(self, problems: Iterable[Problem], document: Document) -> list[str]:
        """Every problem as a line, in the order in which they stand in the file, overrides last, none twice."""
        placed = [(place, self._text(place, path, note)) for place, path, note in document.problems]
        broken = {path for _, path, _ in document.problems}
        for problem in problems:
            if problem.path not in broken:
                place = self._place(problem)
                placed.append((place, self._text(place, problem.path, problem.note)))
        return list(dict.fromkeys(text for _, text in sorted(placed)))

    def line(self, problem: Problem) -> str:
        return self._text(self._place(problem), problem.path, problem.note)

    def _place(self, problem: Problem) -> Place:
        path = as_text(problem.path)
        if problem.of_block and path in self._blamed:
            return self._blamed[path]
        own = self._document.keys if problem.at_key else self._document.values
        if path in own:
            return own[path]
        while path not in self._document.values and path:
            path = path[:-1]
        return self._document.values.get(path, Place())

    def _text(self, place: Place, path: Sequence[str | int], note: str) -> str:
        where = place.override or f"{self._shown_as}:{place.line}:{place.column}"
        # An override names its own path; the rest of it is said only where the mistake lies deeper.
        shown = written(path)
        if place.override == f"--set {'.'.join(map(str, path))}":
            shown = ""
        return f"{where}: {shown}: {note}" if shown else f"{where}: {note}"


def written(path: Sequence[str | int]) -> str:
    """A path as a user writes it: `edits[1].classes[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def steps_of(written_path: str) -> tuple[str | int, ...]:
    """The path again of what `written` made."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", written_path)
    return tuple(int(position) if position else name for position, name in parts)


def _decode(raw: bytes, shown_as: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigError([f"{shown_as}:{line}:{column}: not UTF-8 text (byte 0x{raw[error.start]:02x})"]) from error


def _shown(path: Path) -> str:
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
