"""Pydantic's errors in the user's words: the path as written, what was found, what was expected, the nearest name."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from label_editing.names import nearest, unknown_name
from pipeline.model_shape import models_at

_LONGEST_FOUND = 60


class Problem(NamedTuple):
    """One mistake. `at_key` when the key itself is wrong and not its value."""

    path: tuple[str | int, ...]
    note: str
    at_key: bool = False


class _Located(NamedTuple):
    """One error of pydantic with its path in the data, and the untagged union (path, branch) it came through."""

    path: tuple[str | int, ...]
    error: Mapping[str, Any]
    union: tuple[str | int, ...] | None
    branch: str


def explain(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """Every mistake in `data` once, in the order pydantic found them."""
    located = [_locate(e, data) for e in error.errors(include_url=False)]
    kept = _one_branch_per_union(located)
    unknown = {(p.path[:-1], _neighbour(p, model, data)) for p in kept if p.error["type"] == "extra_forbidden"}
    problems: list[Problem] = []
    for place in kept:
        # `rot: x` where `root` is required is one mistake, told as the unknown key.
        if place.error["type"] == "missing" and (place.path[:-1], place.path[-1]) in unknown:
            continue
        problem = _problem(place, model, data)
        if problem not in problems:
            problems.append(problem)
    return _merge_expectations(problems)


def _locate(error: Mapping[str, Any], data: Any) -> _Located:
    """Drop from pydantic's location what is not in the data: tags and names of union branches."""
    path: list[str | int] = []
    union: tuple[str | int, ...] | None = None
    branch = ""
    steps = list(error["loc"])
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        if last and error["type"] in ("missing", "extra_forbidden"):
            path.append(step)
        elif _is_step_of(data, step, last):
            path.append(step)
            data = data[step]
        elif not (isinstance(data, dict) and step in _texts(data)) and step != "[key]" and union is None:
            union, branch = tuple(path), str(step)
    return _Located(tuple(path), error, union, branch)


def _is_step_of(data: Any, step: Any, last: bool) -> bool:
    if isinstance(data, dict):
        return step in data and (last or step not in _texts(data))
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _texts(data: Mapping[str, Any]) -> list[str]:
    return [v for v in data.values() if isinstance(v, str)]


def _one_branch_per_union(located: Sequence[_Located]) -> list[_Located]:
    """Of the branches of an untagged union keep those that the data came closest to."""
    branches: dict[tuple[Any, ...], dict[str, list[_Located]]] = defaultdict(dict)
    for place in located:
        if place.union is not None:
            branches[place.union].setdefault(place.branch, []).append(place)
    kept = {union: _closest(list(of_union.values())) for union, of_union in branches.items()}
    return [p for p in located if p.union is None or any(p is k for k in kept[p.union])]


def _closest(branches: list[list[_Located]]) -> list[_Located]:
    def misfit(branch: list[_Located]) -> tuple[bool, int]:
        at_root = all(p.path == p.union for p in branch)
        return at_root, sum(2 if p.error["type"] == "extra_forbidden" else 1 for p in branch)

    least = min(map(misfit, branches))
    closest = [b for b in branches if misfit(b) == least]
    if not least[0]:
        return closest[0]
    return [p for b in closest for p in b]


def _neighbour(place: _Located, model: type[BaseModel], data: Any) -> str | None:
    return nearest(str(place.path[-1]), _known_keys(place, model, data))


def _known_keys(place: _Located, model: type[BaseModel], data: Any) -> list[str]:
    models = models_at(model, tuple(map(str, place.path[:-1])), data)
    if place.union is not None:
        models = [m for m in models if m.__name__ == place.branch] or models
    return list(dict.fromkeys(info.alias or name for m in models for name, info in m.model_fields.items()))


def _problem(place: _Located, model: type[BaseModel], data: Any) -> Problem:
    kind, context = place.error["type"], place.error.get("ctx") or {}
    if kind == "extra_forbidden":
        return Problem(
            place.path, unknown_name("key", str(place.path[-1]), _known_keys(place, model, data)), at_key=True
        )
    if kind == "missing":
        return Problem(place.path, f"missing key {str(place.path[-1])!r}")
    if kind == "union_tag_invalid":
        tag = context["discriminator"].strip("'")
        note = unknown_name(tag, str(context["tag"]), _quoted(context["expected_tags"]))
        return Problem((*place.path, tag), note)
    if kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        return Problem((*place.path, tag), f"missing key {tag!r}")
    if kind == "value_error":
        return Problem(place.path, str(context["error"]))
    if kind in ("literal_error", "enum"):
        return Problem(place.path, _not_a_choice(context["expected"], place.error["input"]))
    expected = _EXPECTED.get(kind, _own_words)(place.error)
    return Problem(place.path, f"expected {expected}, found {found(place.error['input'])}")


def _not_a_choice(expected: str, value: Any) -> str:
    guess = nearest(value, _quoted(expected)) if isinstance(value, str) else None
    hint = f"; did you mean {guess!r}?" if guess else ""
    return f"expected {_listed(expected)}, found {found(value)}{hint}"


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _listed(expected: str) -> str:
    """Pydantic's `'a', 'b' or 'c'` without the quotes."""
    return expected.replace("'", "")


def found(value: Any) -> str:
    """A value as a message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            "a block with " + ", ".join(map(repr, list(value)[:3])) + (", ..." if len(value) > 3 else "")
            if value
            else "an empty block"
        )
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = repr(value)
    return text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 4] + "...'"


def _merge_expectations(problems: list[Problem]) -> list[Problem]:
    """`expected A, found x` and `expected B, found x` at one place become `expected A or B, found x`."""
    merged: dict[Any, Problem] = {}
    for problem in problems:
        match = re.fullmatch(r"expected (.*), found (.*)", problem.note, flags=re.DOTALL)
        key = (problem.path, match[2].partition("; did")[0]) if match else (problem.path, problem.note)
        if (
            match
            and key in merged
            and (before := re.fullmatch(r"expected (.*), found (.*)", merged[key].note, flags=re.DOTALL))
        ):
            problem = Problem(problem.path, f"expected {before[1]} or {match[1]}, found {before[2]}")
        merged[key] = problem
    return list(merged.values())


def _own_words(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Input should be ").removeprefix("Input should ")


def _limit(words: str, name: str) -> Callable[[Mapping[str, Any]], str]:
    def text(error: Mapping[str, Any]) -> str:
        limit = error["ctx"][name]
        return f"{words} {int(limit) if isinstance(limit, float) and limit.is_integer() else limit}"

    return text


def _length(words: str, name: str, unit: str) -> Callable[[Mapping[str, Any]], str]:
    def text(error: Mapping[str, Any]) -> str:
        limit = error["ctx"][name]
        return f"{words} {limit} {unit}{'' if limit == 1 else 's'}"

    return text


def _plain(words: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _error: words


_EXPECTED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "bool_type": _plain("true or false"),
    "string_type": _plain("text"),
    "int_type": _plain("a whole number"),
    "int_parsing": _plain("a whole number"),
    "int_from_float": _plain("a whole number"),
    "float_type": _plain("a number"),
    "float_parsing": _plain("a number"),
    "finite_number": _plain("a finite number"),
    "list_type": _plain("a list"),
    "tuple_type": _plain("a list"),
    "set_type": _plain("a list"),
    "frozen_set_type": _plain("a list"),
    "dict_type": _plain("a block of keys"),
    "model_type": _plain("a block of keys"),
    "model_attributes_type": _plain("a block of keys"),
    "none_required": _plain("nothing"),
    "path_type": _plain("a path"),
    "greater_than": _limit("more than", "gt"),
    "greater_than_equal": _limit("at least", "ge"),
    "less_than": _limit("less than", "lt"),
    "less_than_equal": _limit("at most", "le"),
    "multiple_of": _limit("a multiple of", "multiple_of"),
    "too_short": _length("at least", "min_length", "item"),
    "too_long": _length("at most", "max_length", "item"),
    "string_too_short": _length("at least", "min_length", "character"),
    "string_too_long": _length("at most", "max_length", "character"),
    "string_pattern_mismatch": lambda error: f"text matching {error['ctx']['pattern']}",
}
