"""The mistakes in a recipe that only its source and its model show, each at its place in the file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from label_editing.catalog import Catalog
from label_editing.edits import Edit
from label_editing.edits.add_instances import not_a_ground
from label_editing.names import unknown_name
from pipeline.config_file import Loaded, steps_of
from pipeline.config_problems import Problem
from pipeline.styles.bank import StyleBank
from pipeline.styles.draw import check_picks
from pipeline.styles.picks import StylePick

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

_THINGS_ONLY = ("add_instances", "remove_instances", "move_instances", "resize_instances")
_CLASS_KEYS = ("class", "class_name", "classes")


@dataclass(frozen=True)
class Parts:
    """What of a recipe can be checked: all of a sound one; of a faulty one the parts that are sound by themselves."""

    data: Mapping[str, Any]  # the plain data, faulty parts and all
    edits: Mapping[int, Edit]
    styles: Sequence[StylePick]  # a line that is not sound is one that asks for nothing
    target: Collection[str] = ()  # classes that a balance names

    @classmethod
    def of(cls, loaded: "Loaded[Recipe]") -> "Parts":
        """All parts of a recipe that was read."""
        recipe = loaded.value
        target = recipe.balance.target if recipe.balance else ()
        return cls(loaded.resolved, dict(enumerate(recipe.edits)), recipe.styles, target)


class _Named(NamedTuple):
    """A name in the data: where it stands, and whether as a key."""

    path: tuple[str | int, ...]
    name: str
    is_key: bool = False


def check_recipe(loaded: "Loaded[Recipe]", catalog: Catalog) -> None:
    """Raise ConfigError with every class that the catalog lacks or that an edit cannot work on."""
    problems = class_problems(Parts.of(loaded), catalog)
    if problems:
        loaded.fail(problems)


def class_problems(parts: Parts, catalog: Catalog) -> list[Problem]:
    """Every class that the catalog lacks or that an edit cannot work on."""
    told = [(named, unknown_name("class", named.name, catalog.names)) for named in _unknown(parts, catalog)]
    for number in parts.edits:
        for block in _edit_blocks(parts.data["edits"][number], ("edits", number)):
            told += _unfit(*block, catalog)
    problems = [Problem(named.path, f"{note} (catalog {catalog.name})", named.is_key) for named, note in told]
    return [*problems, *_no_void(parts, catalog)]


def style_problems(parts: Parts, bank: StyleBank, model: str) -> list[Problem]:
    """Every look that this model cannot give."""
    told = [problem.partition(": ") for problem in check_picks(bank, parts.styles)]
    return [Problem(steps_of(path), f"{note} (model {model})") for path, _, note in told]


def _no_void(parts: Parts, catalog: Catalog) -> Iterator[Problem]:
    quality = parts.data.get("quality")
    if isinstance(quality, Mapping) and quality.get("max_surprise") is not None and not catalog.void_ids:
        yield Problem(
            ("quality", "max_surprise"), f"catalog {catalog.name} has no void class to write in place of a label"
        )


def _unknown(parts: Parts, catalog: Catalog) -> Iterator[_Named]:
    for i, edit in parts.edits.items():
        yield from _places(parts.data["edits"][i], ("edits", i), set(edit.class_names()) - set(catalog.names))
    for i, line in enumerate(parts.styles):
        missing = set(line.class_names()) - set(catalog.names)
        if missing:
            yield from _places(parts.data["styles"][i]["classes"], ("styles", i, "classes"), missing)
    for name in parts.target:
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
    added = edit.get("class", edit.get("class_name"))
    if op == "add_instances" and added in catalog.names:
        spec = catalog.named(added)
        for named in _places(edit.get("stands_on"), (*path, "stands_on"), catalog.names):
            if spec.support and named.name not in spec.support:
                yield named, not_a_ground(spec, named.name)
    for key in ("to", "target") if op == "swap_class" else ():
        for named in _places(edit.get(key), (*path, key), catalog.names):
            if catalog.named(named.name).layer in ("void", "fixed"):
                yield named, f"{named.name!r} is never what a class becomes"
