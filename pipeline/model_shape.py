"""Which models may stand at a path of a config, so that an unknown key finds its neighbours."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def models_at(model: type[BaseModel], path: tuple[str, ...], data: Any) -> list[type[BaseModel]]:
    """The models that may describe the mapping at `path` of `data`; a tagged one wins where the tag is right."""
    annotations: list[Any] = [model]
    for step in path:
        models = _fitting(annotations, data)
        annotations = [a for m in models for a in _field(m, step)] or [
            item for a in annotations for item in _items(a, step)
        ]
        data = _child(data, step)
    return _fitting(annotations, data)


def _fitting(annotations: list[Any], data: Any) -> list[type[BaseModel]]:
    models = [m for a in annotations for m in _members(a) if isinstance(m, type) and issubclass(m, BaseModel)]
    tagged = [m for m in models if isinstance(data, dict) and _tag_matches(m, data)]
    return tagged or models


def _tag_matches(model: type[BaseModel], data: dict[str, Any]) -> bool:
    tags = {
        name: get_args(info.annotation)
        for name, info in model.model_fields.items()
        if get_origin(info.annotation) is Literal
    }
    return any(isinstance(data.get(name), str) and data[name] in values for name, values in tags.items())


def _field(model: type[BaseModel], step: str) -> Iterator[Any]:
    for name, info in model.model_fields.items():
        if step in (name, info.alias):
            yield info.annotation


def _items(annotation: Any, step: str) -> Iterator[Any]:
    for member in _members(annotation):
        origin, arguments = get_origin(member), get_args(member)
        if origin is tuple and Ellipsis not in arguments and step.isdigit():
            yield from arguments[int(step) : int(step) + 1]
        elif origin is not Literal and arguments:
            yield arguments[0 if origin is tuple else -1]


def _members(annotation: Any) -> Iterator[Any]:
    """The annotation without Annotated and aliases, each member of a union by itself."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _child(data: Any, step: str) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and step.isdigit() and int(step) < len(data):
        return data[int(step)]
    return None
