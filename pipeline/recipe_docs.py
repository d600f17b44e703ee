"""docs/recipes.md, made from the recipe's own models so that it cannot go stale.

python -m pipeline.recipe_docs            writes it
python -m pipeline.recipe_docs --check    fails when it is not what the models say
"""

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from label_editing.edits import EDITS
from label_editing.edits.base import Edit
from label_editing.edits.where import Where
from pipeline.configs import shipped
from pipeline.recipe import Balance, ImageFormat, OnError, Output, Quality, Recipe
from pipeline.sources import SOURCES
from pipeline.styles.picks import StylePick

_BOUNDS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}
_BLOCKS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("output", Output),
    ("output.image", ImageFormat),
    ("balance", Balance),
    ("quality", Quality),
    ("on_error", OnError),
)


def recipe_page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_recipe(), *_sources(), *_edits(), *_styles(), *_shipped()]).rstrip() + "\n"


_INTRODUCTION = """\
# The recipe language

<!-- Made by `python -m pipeline.recipe_docs` from the models themselves; `make check` fails when it is stale. -->

A recipe is a YAML file that says which label maps to take, how to edit them, in which styles to render them, and where
the data set goes. `synthgen preview --recipe FILE` shows what it does to maps, `synthgen augment --recipe FILE
--dry-run` what it would make, `synthgen augment --recipe FILE` makes it. `--set edits.0.probability=1` overrides one
value. Every mistake is reported with file, line, column and the nearest name, all at once, before any work starts.
"""


def _recipe() -> Iterator[str]:
    yield "## The recipe\n"
    yield from _table(Recipe)
    for name, block in _BLOCKS:
        yield f"### {name}\n"
        yield _first_line(block) + "\n"
        yield from _table(block)


def _sources() -> Iterator[str]:
    yield "## source\n"
    yield "One of these formats; [sources.md](sources.md) says how to bring your own data.\n"
    for name, config in SOURCES.items():
        yield f"### format: {name}\n"
        yield _first_line(config) + "\n"
        yield from _table(config, leave_out=("format",))


def _edits() -> Iterator[str]:
    yield "## edits\n"
    yield (
        "A list, applied in order. Every edit has `probability` (how often it is tried, 1 when left out) and "
        "`required` (draw another source map where it does not apply, instead of leaving the scene as it is).\n"
    )
    for name, edit in EDITS.items():
        yield f"### {name}\n"
        yield _first_line(edit) + "\n"
        yield from _table(edit, leave_out=("op", *Edit.model_fields))
    yield "### where\n"
    yield _first_line(Where) + " Distances are estimates from a person's or car's usual height.\n"
    yield from _table(Where)


def _styles() -> Iterator[str]:
    yield "## styles\n"
    yield _first_line(StylePick) + "\n"
    yield from _table(StylePick)
    yield _PICKS


_PICKS = """\
| pick | which look |
|---|---|
| `random` | a cluster, by how often it occurs in the training images |
| `uniform` | a cluster, every one alike |
| `source` | as the scene's own photograph, where it was a training image |
| `{cluster: 3}` | the cluster of this number |
| `{tag: wet}` | a cluster with this tag (`synthgen styles tag`) |
| `{attribute: {time_of_day: night}}` | looks of training images with these attributes |
| `{like: IMAGE-KEY}` | the look of this training image |
| `{like: dusk.jpg}` | the look of a photograph from elsewhere, where the model has one look for the whole image |

With `coherent: true` one training image lends its look to all the classes of the line together, so that a night road
never meets a day sky.
"""


def _shipped() -> Iterator[str]:
    yield "## Recipes that ship\n"
    yield (
        "Each with three samples, source map and edited map, on the streets that synthgen makes itself. The pictures "
        "are drawn by `python -m pipeline.recipe_previews`.\n"
    )
    for path in shipped("recipes").values():
        text = path.read_text(encoding="utf-8")
        comments = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("#")]
        name = yaml.safe_load(text)["name"]
        yield f"### {name}\n"
        yield f"{' '.join(comments[1:])}\n"
        yield f"![{name}: source maps and edited maps](previews/{name}.jpg)\n"
        yield f"```yaml\n{text}```\n"


def _table(model: type[BaseModel], leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    rows = [_row(name, info) for name, info in model.model_fields.items() if name not in leave_out]
    if not rows:
        yield "No fields of its own.\n"
        return
    yield "| field | value | default | |\n|---|---|---|---|"
    yield "\n".join(rows) + "\n"


def _row(name: str, info: FieldInfo) -> str:
    cells = [f"`{info.alias or name}`", _type(info.annotation, info.metadata), _default(info), info.description or ""]
    return f"| {' | '.join(cells)} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or value in ((), {}):
        return ""
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{str(value).lower() if isinstance(value, bool) else _plain(value)}`"


def _plain(value: Any) -> Any:
    return list(value) if type(value) is tuple else value


def _type(annotation: Any, metadata: list[Any] = []) -> str:  # noqa: B006 - never written
    bounds = " and ".join(f"{_BOUNDS[type(m)]} {_bound(m)}" for m in metadata if type(m) in _BOUNDS)
    return f"{_shape(annotation)}{' ' + bounds if bounds else ''}"


def _bound(bound: Any) -> Any:
    return next(iter(vars(bound).values())) if not hasattr(bound, "__slots__") else getattr(bound, bound.__slots__[0])


def _shape(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], list(arguments[1:]))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        shapes = [_shape(a) for a in arguments if a is not type(None)]
        return " or ".join(dict.fromkeys(shapes))
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return f"list of {_shape(arguments[0])}"
    if origin is tuple:
        return "[" + ", ".join(map(_shape, arguments)) + "]"
    if origin is dict:
        return f"map of {_shape(arguments[0])} to {_shape(arguments[1])}"
    return _named(annotation)


def _named(annotation: Any) -> str:
    plain = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Any: "anything"}
    if annotation in plain:
        return plain[annotation]
    name = getattr(annotation, "__name__", str(annotation))
    if any(annotation is kind for kind in EDITS.values()) or name == "AnyEdit":
        return "an edit"
    if any(annotation is kind for kind in SOURCES.values()):
        return "a source"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "`{" + ", ".join(info.alias or key for key, info in annotation.model_fields.items()) + "}`"
    return "WIDTHxHEIGHT" if name == "Resolution" else re.sub(r"'", "", str(name))


def _first_line(thing: type) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def main(arguments: list[str]) -> int:
    """Write the page beside this checkout, or check it."""
    path = Path(__file__).parent.parent / "docs" / "recipes.md"
    page = recipe_page()
    if "--check" in arguments:
        if path.is_file() and path.read_text(encoding="utf-8") == page:
            return 0
        print(f"{path}: not what the models say; run python -m pipeline.recipe_docs", file=sys.stderr)
        return 1
    path.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
