"""Sources on the command line: a YAML file with a `source:` block, or the block itself in braces."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from label_editing.catalog import Catalog
from label_editing.names import unknown_name
from pipeline.config_file import parse_config
from pipeline.errors import InputError
from pipeline.evaluation.mapped import MappedSource
from pipeline.shards import layout
from pipeline.sources import AnySource
from pipeline.sources.base import Source
from pipeline.sources.webdataset import WebdatasetConfig
from pipeline.storage import Store


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    source: AnySource


class _Mapping(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[str, str]


def source_named(said: str) -> Source:
    """The source of `{format: camvid, root: DIR}`, of a recipe, training config or other file, or a data set."""
    if is_data_set(said):
        return WebdatasetConfig(root=said).open()
    if said.lstrip().startswith("{"):
        return parse_config(_Named, f"source: {said}", "the source given").value.source.open()
    return parse_config(_Named, _text(said), said).value.source.open()


def is_data_set(place: str) -> bool:
    """Whether a finished data set lies there."""
    return not place.lstrip().startswith("{") and Store(place).exists(layout.DATASET)


def in_catalog_of(source: Source, wanted: Catalog, mapping_file: str | None, what: str) -> Source:
    """The source in the label space that is wanted, by name of class or by a mapping file; InputError otherwise."""
    if [(c.id, c.name) for c in source.catalog.classes] == [(c.id, c.name) for c in wanted.classes]:
        return source
    if mapping_file is None:
        lacking = sorted(set(source.catalog.names) - set(wanted.names))
        raise InputError(
            f"{what} has catalog {source.catalog.name}, measured is in catalog {wanted.name}; classes without "
            f"counterpart: {', '.join(lacking) or 'none, but ids differ'}; give a mapping file with --classes, such as "
            "`classes: {rider: bicyclist}`"
        )
    mapping = parse_config(_Mapping, _text(mapping_file), mapping_file).value.classes
    return MappedSource(source, wanted, _complete(mapping, source.catalog, wanted, mapping_file))


def _complete(mapping: dict[str, str], own: Catalog, wanted: Catalog, place: str) -> dict[str, str]:
    """Every class of the source with its counterpart; those of the same name need no line."""
    for name, other in mapping.items():
        if name not in own.names:
            raise InputError(f"{place}: {unknown_name('class', name, own.names)} (catalog {own.name})")
        if other not in wanted.names:
            raise InputError(f"{place}: {unknown_name('class', other, wanted.names)} (catalog {wanted.name})")
    whole = {name: mapping.get(name, name) for name in own.names}
    lacking = [name for name, other in whole.items() if other not in wanted.names]
    if lacking:
        raise InputError(f"{place}: no counterpart in catalog {wanted.name} for: {', '.join(lacking)}")
    return whole


def _text(place: str) -> str:
    try:
        return Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read {place}: {reason}; expected a YAML file or {{format: ..., root: ...}}") from None
