"""Follows pydantic's error locations through a model, telling steps of the data from names of union branches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Trace:
    """Where an error lies in the data: its path, the models of the block around it, the untagged union above it."""

    path: Steps
    around: tuple[type[BaseModel], ...]
    union: Steps | None = None  # path of the outermost untagged union that the location runs through
    branch: str = ""  # which member of that union the error is about
    owners: tuple[str, ...] = ()  # tags under which the last step would be a key, where the block has another tag

    def known_keys(self) -> list[str]:
        """The keys that may stand beside the last step of the path."""
        fields = ((info.alias or name) for model in self.around for name, info in model.model_fields.items())
        return list(dict.fromkeys(fields))

    def choices(self) -> list[str]:
        """The values that the last step of the path may take, where they are few and named."""
        here = [below.annotation for model in self.around for below in _below(model, self.path[-1])]
        return [
            str(value) for annotation in here if get_origin(annotation) is Literal for value in get_args(annotation)
        ]


@dataclass(frozen=True)
class _Expected:
    """What a model says may stand somewhere."""

    annotation: Any
    discriminated: bool = False
    discriminator: str = ""  # the key that tells members apart, where it is one
    tag: str | None = None

    @property
    def members(self) -> list["_Expected"]:
        """The members of a union; none for anything else, and for `X | None`, which is X here."""
        if get_origin(self.annotation) not in (Union, UnionType):
            return []
        return [_expected(a) for a in get_args(self.annotation) if a is not NoneType]


def trace(model: type[BaseModel], location: Sequence[str | int]) -> Trace:
    """The trace of one location."""
    here = [_Expected(model)]
    path: Steps = ()
    around: tuple[type[BaseModel], ...] = ()
    owners: tuple[str, ...] = ()
    union: Steps | None = None
    branch = ""
    tagged: list[_Expected] = []  # the unions that the tag of this block chooses a member of
    for step in location:
        unions = [e for e in here if e.members]
        if unions:
            tagged = [e for e in unions if e.discriminator]
            if union is None and not any(e.discriminated for e in unions):
                union, branch = path, str(step)
            here = [m for e in unions for m in _chosen(e, str(step))]
        elif step != "[key]":
            path, around = (*path, step), tuple(_models(here))
            owners = tuple(_owners(tagged, step))
            here, tagged = [below for e in here for below in _below(e.annotation, step)], []
    return Trace(path, around, union, branch, owners)


def _expected(annotation: Any, extra: Sequence[Any] = ()) -> _Expected:
    """The annotation without Annotated and without `| None`, remembering discriminator and tag."""
    metadata = list(extra)
    while True:
        members = [a for a in get_args(annotation) if a is not NoneType]
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata += more
        elif get_origin(annotation) in (Union, UnionType) and len(members) == 1:
            annotation = members[0]
        else:
            break
    by = [m.discriminator for m in metadata if isinstance(m, Discriminator | FieldInfo) and m.discriminator is not None]
    key = next((said for said in by if isinstance(said, str)), "")
    return _Expected(annotation, bool(by), key, next((m.tag for m in metadata if isinstance(m, Tag)), None))


def _chosen(union: _Expected, step: str) -> list[_Expected]:
    """The members that a branch name or tag stands for; all, where it does not tell."""
    members = union.members
    return [m for m in members if step in _names(m)] or members


def _names(member: _Expected) -> Iterator[str]:
    if member.tag is not None:
        yield member.tag
    if isinstance(member.annotation, type) and issubclass(member.annotation, BaseModel):
        yield member.annotation.__name__
        for info in member.annotation.model_fields.values():
            if get_origin(info.annotation) is Literal:
                yield from map(str, get_args(info.annotation))


def _owners(unions: Sequence[_Expected], key: str | int) -> Iterator[str]:
    """The tags of the members that have the key."""
    for union in unions:
        for member in union.members:
            tags = [
                tag for below in _below(member.annotation, union.discriminator) for tag in get_args(below.annotation)
            ]
            if any(True for _ in _below(member.annotation, key)):
                yield from map(str, tags)


def _models(expected: Sequence[_Expected]) -> Iterator[type[BaseModel]]:
    for e in expected:
        if isinstance(e.annotation, type) and issubclass(e.annotation, BaseModel):
            yield e.annotation


def _below(annotation: Any, step: str | int) -> Iterator[_Expected]:
    """What may stand under a key of a block or at a position of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if step in (name, info.alias):
                yield _expected(info.annotation, (*info.metadata, info))
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal or not arguments:
        return
    if origin is tuple and Ellipsis not in arguments:
        yield from map(_expected, arguments[step : step + 1] if isinstance(step, int) else ())
    else:
        yield _expected(arguments[0] if origin is tuple else arguments[-1])
