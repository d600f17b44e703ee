"""Pydantic's errors in the user's words: the path as written, what was found, what was expected, the nearest name."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from label_editing.names import nearest, unknown_name
from pipeline.model_shape import Trace, trace

_LONGEST_FOUND = 60


class Problem(NamedTuple):
    """One mistake.

    `at_key` when the key itself is wrong and not its value, `of_block` when the values of a block do not go together.
    """

    path: tuple[str | int, ...]
    note: str
    at_key: bool = False
    of_block: bool = False


class _Mismatch(NamedTuple):
    """A value that is not of the expected kind."""

    path: tuple[str | int, ...]
    expected: str
    found: str
    hint: str = ""


class _Located(NamedTuple):
    """One error of pydantic, and where in the data it lies."""

    trace: Trace
    error: Mapping[str, Any]


def explain(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every mistake once, in the order pydantic found them."""
    located = [_Located(trace(model, e["loc"]), e) for e in error.errors(include_url=False)]
    kept = [
        p for p in _one_branch_per_union(located) if not _told_as_unknown_key(p, located) and not _is_long_enough(p)
    ]
    return _merged([_problem(p) for p in kept])


def _told_as_unknown_key(place: _Located, located: Sequence[_Located]) -> bool:
    """`rot: x` where `root` is required is one mistake: the unknown key tells of the missing one."""
    if place.error["type"] != "missing":
        return False
    beside = [p for p in located if p.error["type"] == "extra_forbidden" and p.trace.path[:-1] == place.trace.path[:-1]]
    return any(nearest(str(p.trace.path[-1]), p.trace.known_keys()) == place.trace.path[-1] for p in beside)


def _is_long_enough(place: _Located) -> bool:
    """A list whose items are all faulty counts as empty for pydantic; the items are told one by one."""
    error = place.error
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _one_branch_per_union(located: Sequence[_Located]) -> list[_Located]:
    """Of the branches of an untagged union keep those that the data came closest to."""
    branches: dict[Any, dict[str, list[_Located]]] = defaultdict(dict)
    for place in located:
        if place.trace.union is not None:
            branches[place.trace.union].setdefault(place.trace.branch, []).append(place)
    kept = {union: _closest(list(of_union.values())) for union, of_union in branches.items()}
    return [p for p in located if p.trace.union is None or any(p is k for k in kept[p.trace.union])]


def _closest(branches: list[list[_Located]]) -> list[_Located]:
    def misfit(branch: list[_Located]) -> tuple[bool, int]:
        at_root = all(p.trace.path == p.trace.union for p in branch)
        return at_root, sum(not _told_as_unknown_key(p, branch) for p in branch)

    least = min(map(misfit, branches))
    closest = [b for b in branches if misfit(b) == least]
    if not least[0]:
        return closest[0]
    return [p for b in closest for p in b]


def _problem(place: _Located) -> Problem | _Mismatch:
    path, error = place.trace.path, place.error
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        key, owners = str(path[-1]), ", ".join(place.trace.owners)
        elsewhere = f" ({key!r} is a key of {owners})" if owners else ""
        return Problem(path, f"{unknown_name('key', key, place.trace.known_keys())}{elsewhere}", at_key=True)
    if kind == "missing":
        choices = ", ".join(place.trace.choices())
        said = f": one of {choices}" if choices else ""
        return Problem(path, f"missing key {str(path[-1])!r}{said}")
    if kind == "union_tag_invalid":
        tag = context["discriminator"].strip("'")
        return Problem((*path, tag), unknown_name(tag, str(context["tag"]), _quoted(context["expected_tags"])))
    if kind == "union_tag_not_found" and isinstance(error["input"], dict):
        tag = context["discriminator"].strip("'")
        return Problem((*path, tag), f"missing key {tag!r}")
    if kind == "value_error":
        return Problem(path, str(context["error"]), of_block=isinstance(error["input"], dict))
    if kind in ("literal_error", "enum"):
        return _not_a_choice(path, context["expected"], error["input"])
    return _Mismatch(path, _EXPECTED.get(kind, _own_words)(error), found(error["input"]))


def _not_a_choice(path: tuple[str | int, ...], expected: str, value: Any) -> _Mismatch:
    guess = nearest(value, _quoted(expected)) if isinstance(value, str) else None
    return _Mismatch(path, expected.replace("'", ""), found(value), f"; did you mean {guess!r}?" if guess else "")


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def found(value: Any) -> str:
    """A value as a message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        keys = ", ".join(map(repr, list(value)[:3])) + (", ..." if len(value) > 3 else "")
        return f"a block with {keys}" if value else "an empty block"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = repr(value)
    return text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 4] + "...'"


def _merged(problems: Sequence[Problem | _Mismatch]) -> list[Problem]:
    """Each problem once; mismatches at one place, from branches of a union, as `expected A or B, found x`."""
    expected: dict[tuple[Any, ...], dict[str, None]] = defaultdict(dict)  # in order, each once
    hints: dict[tuple[Any, ...], str] = defaultdict(str)
    for problem in problems:
        if isinstance(problem, _Mismatch):
            expected[problem.path, problem.found][problem.expected] = None
            hints[problem.path, problem.found] = hints[problem.path, problem.found] or problem.hint
    told: dict[Problem, None] = {}
    for problem in problems:
        if isinstance(problem, _Mismatch):
            choices = " or ".join(expected[problem.path, problem.found])
            hint = hints[problem.path, problem.found]
            problem = Problem(problem.path, f"expected {choices}, found {problem.found}{hint}")
        told[problem] = None
    return list(told)


def _own_words(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("expected ").removeprefix("Input should be ").removeprefix("Input should ")


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
    "union_tag_not_found": _plain("a block of keys"),
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
