"""A faulty recipe is looked at for names that its source or model lack, so that all mistakes are told at once."""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from label_editing.edits import AnyEdit
from pipeline.config_problems import Problem
from pipeline.errors import InputError, StorageError
from pipeline.recipe_checks import Parts, class_problems, style_problems
from pipeline.sources import AnySource, Source
from pipeline.sources.selection import SelectionError
from pipeline.styles.bank import StyleBank
from pipeline.styles.picks import LikePick, StylePick

_EDIT: TypeAdapter[Any] = TypeAdapter(AnyEdit)
_SOURCE: TypeAdapter[Any] = TypeAdapter(AnySource)
_STYLE = TypeAdapter(StylePick)


def name_problems(data: dict[str, Any]) -> list[Problem]:
    """What source and model show of the parts of a faulty recipe that are sound by themselves."""
    config = _sound(_SOURCE, data.get("source"))
    if config is None:
        return []
    try:
        source: Source = config.open()
    except StorageError:
        return []  # storage that is away is no mistake in the recipe
    except SelectionError as error:
        # Its classes are known all the same.
        return [Problem(("source", *error.path), error.note, error.is_key), *_names(data, error.source)]
    except InputError as error:
        return [Problem(("source",), str(error))]
    return _names(data, source)


def _names(data: dict[str, Any], source: Source) -> list[Problem]:
    parts = _sound_parts(data)
    bank = _bank(data.get("model"))
    looks = [] if bank is None else style_problems(parts, bank, data["model"])
    return [*class_problems(parts, source.catalog), *looks]


def _sound_parts(data: dict[str, Any]) -> Parts:
    edits = {i: _sound(_EDIT, block) for i, block in enumerate(_items(data.get("edits")))}
    styles = [_sound(_STYLE, block) for block in _items(data.get("styles"))]
    balance = data.get("balance")
    target = balance.get("target") if isinstance(balance, dict) else None
    return Parts(
        data,
        {i: edit for i, edit in edits.items() if edit is not None},
        [StylePick() if line is None or _needs_a_photograph(line) else line for line in styles],
        list(target) if isinstance(target, dict) else (),
    )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _sound(kind: "TypeAdapter[Any]", data: Any) -> Any:
    """The part, None where it is missing or has a mistake of its own, which is told elsewhere."""
    try:
        return kind.validate_json(json.dumps(data), strict=True)
    except ValidationError:
        return None


def _needs_a_photograph(line: StylePick) -> bool:
    """Reading one takes the networks of the model: that waits until the rest is right."""
    return isinstance(line.pick, LikePick) and line.pick.is_file


def _bank(location: Any) -> StyleBank | None:
    """The styles of the model; None where there is no model yet, which a preview bears."""
    from pipeline.model_directory import open_model

    if not isinstance(location, str) or not location:
        return None
    try:
        return open_model(location).style_bank()
    except (InputError, StorageError):
        return None
