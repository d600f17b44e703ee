"""Where the configs that ship are: beside the code in a checkout, under share/synthgen in an install."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from label_editing.names import nearest
from pipeline.errors import InputError

ConfigKind = Literal["recipes", "train", "classes"]

_ONE = {"recipes": "recipe", "train": "training config", "classes": "class catalog"}
_COMMANDS: dict[ConfigKind, str] = {"recipes": "synthgen augment --recipe", "train": "synthgen train --config"}


def configs_folder() -> Path:
    """The folder with classes/, train/ and recipes/."""
    beside = Path(__file__).resolve().parent.parent / "configs"
    installed = Path(sys.prefix) / "share" / "synthgen" / "configs"
    for folder in (beside, installed):
        if (folder / "classes").is_dir() or (folder / "recipes").is_dir():
            return folder
    raise InputError(f"the configs that ship with synthgen are missing; looked in {beside} and {installed}; reinstall")


def shipped(kind: ConfigKind) -> dict[str, Path]:
    """The configs of one kind that ship, by bare name."""
    return {path.stem: path for path in sorted((configs_folder() / kind).glob("*.yaml"))}


def shipped_models() -> dict[str, Path]:
    """The trained models that ship, by name."""
    return {card.parent.name: card.parent for card in sorted((configs_folder() / "models").glob("*/model.json"))}


def shipped_model(name: str) -> Path:
    """The trained model of this name that ships."""
    known = shipped_models()
    if name not in known:
        raise InputError(f"no model {name!r} ships; {_known(name, known)}; `synthgen demo` trains one")
    return known[name]


def find_config(name_or_path: str, kind: ConfigKind) -> Path:
    """The file of this path, else the shipped config of this name (with or without .yaml); InputError otherwise."""
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise InputError(f"{name_or_path} is a folder, not a {_ONE[kind]}")
    if len(path.parts) != 1:
        raise InputError(f"no such {_ONE[kind]} file: {name_or_path}")
    known = shipped(kind)
    name = name_or_path.removesuffix(".yaml").removesuffix(".yml")
    if name in known:
        return known[name]
    said = f"no {_ONE[kind]} {name_or_path!r}: no such file here, and none of that name ships"
    for other in _COMMANDS if kind in _COMMANDS else ():
        if other != kind and name in shipped(other):
            raise InputError(f"{said}; {for_another_command(name, other)}")
    raise InputError(f"{said}; {_known(name, known)}")


def for_another_command(name_or_path: str, kind: ConfigKind) -> str:
    """What is of another kind than was asked for, and the command that takes it."""
    return f"{name_or_path} is a {_ONE[kind]}, for `{_COMMANDS[kind]} {name_or_path}`"


def _known(name: str, known: Mapping[str, Path]) -> str:
    guess = nearest(name, known)
    hint = f"did you mean {guess!r}? " if guess else ""
    return hint + (f"shipped: {', '.join(known)}" if known else "none are shipped")
