"""The mistakes in a recipe that only the class catalog shows, each at its place in the file."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from label_editing.catalog import Catalog
from label_editing.names import unknown_name
from pipeline.config_file import Loaded
from pipeline.recipe import Recipe

_THINGS_ONLY = ("add_instances", "remove_instances", "move_instances", "resize_instances")
_CLASS_KEYS = ("class", "class_name", "classes")


class _Named(NamedTuple):
    """A name in the data: where it stands, and whether as a key."""

    path: tuple[str | int, ...]
    name: str
    is_key: bool = False


def check_recipe(loaded: Loaded[Recipe], catalog: Catalog) -> None:
    """Raise ConfigError with every class that the catalog lacks or that an edit cannot work on."""
    problems = recipe_problems(loaded, catalog)
    if problems:
        loaded.fail(problems)


def recipe_problems(loaded: Loaded[Recipe], catalog: Catalog) -> list[str]:
    """Every such mistake, as `file:line:column: path: message`."""
    told = [(named, unknown_name("class", named.name, catalog.names)) for named in _unknown(loaded, catalog)]
    for block in _edit_blocks(loaded.resolved.get("edits"), ("edits",)):
        told += _unfit(*block, catalog)
    return [loaded.problem_at(named.path, f"{note} (catalog {catalog.name})", named.is_key) for named, note in told]


def _unknown(loaded: Loaded[Recipe], catalog: Catalog) -> Iterator[_Named]:
    recipe, data = loaded.value, loaded.resolved
    for i, edit in enumerate(recipe.edits):
        yield from _places(data["edits"][i], ("edits", i), set(edit.class_names()) - set(catalog.names))
    for i, line in enumerate(recipe.styles):
        classes = data["styles"][i].get("classes", [])
        yield from _places(classes, ("styles", i, "classes"), set(line.class_names()) - set(catalog.names))
    target = recipe.balance.target if recipe.balance else {}
    for name in target:
        if name not in catalog.names:
            yield _Named(("balance", "target", name), name, is_key=True)


def _places(data: Any, path: tuple[str | int, ...], names: Collection[str]) -> Iterator[_Named]:
    """Wherever one of these names stands in the data."""
    if isinstance(data, str):
        if data in names:
            yield _Named(path, data)
    elif isinstance(data, list):
        for i, item in enumerate(data):
            yield from _places(item, (*path, i), names)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key in names:
                yield _Named((*path, key), key, is_key=True)
            if key != "op":
                yield from _places(value, (*path, key), names)


def _edit_blocks(data: Any, path: tuple[str | int, ...]) -> Iterator[tuple[dict[str, Any], tuple[str | int, ...]]]:
    """Every block that is an edit, those inside other edits too."""
    if isinstance(data, dict):
        if "op" in data:
            yield data, path
        for key, value in data.items():
            yield from _edit_blocks(value, (*path, key))
    elif isinstance(data, list):
        for i, item in enumerate(data):
            yield from _edit_blocks(item, (*path, i))


def _unfit(edit: dict[str, Any], path: tuple[str | int, ...], catalog: Catalog) -> Iterator[tuple[_Named, str]]:
    op = edit["op"]
    for key in _CLASS_KEYS if op in _THINGS_ONLY else ():
        for named in _places(edit.get(key), (*path, key), catalog.names):
            if not catalog.named(named.name).thing:
                yield named, f"{op} works on things, and {named.name!r} is stuff"
    for key in ("to", "target") if op == "swap_class" else ():
        for named in _places(edit.get(key), (*path, key), catalog.names):
            if catalog.named(named.name).layer in ("void", "fixed"):
                yield named, f"{named.name!r} is never what a class becomes"
