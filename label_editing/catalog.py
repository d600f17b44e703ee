"""The classes of a label space: id, name, colour, thing or stuff, and where an object of the class can stand."""

from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from label_editing.names import unknown_name

# What a class is to an edit: ground carries objects, structures stand behind them, objects stand on the ground,
# `fixed` belongs to the camera (own bonnet, border) and is never edited.
Layer = Literal["ground", "structure", "sky", "object", "fixed", "void"]

INSTANCES_PER_CLASS = 1000


class ClassSpec(BaseModel):
    """One class of a catalog."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(ge=0, le=65535)
    name: str = Field(min_length=1)
    color: tuple[int, int, int]
    layer: Layer
    thing: bool = False
    void: bool = False
    train_id: int = 255
    support: tuple[str, ...] = ()  # classes that may lie under the foot line of an instance
    companion: tuple[str, ...] = ()  # classes of which one comes and goes with it: a rider's bicycle or motorcycle
    height_m: float | None = Field(default=None, gt=0)  # of a usual one; what sizes are regressed against

    @field_validator("companion", mode="before")
    @classmethod
    def _one_or_several(cls, companion: Any) -> Any:
        # A single name stands for itself; models and data sets of older catalogs hold one, or null.
        if companion is None:
            return ()
        if isinstance(companion, str):
            return (companion,)
        return tuple(companion) if isinstance(companion, list) else companion


class Catalog(BaseModel):
    """A label space. Class ids are what label maps store; channels are their ranks, what networks count in."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    name: str
    classes: tuple[ClassSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Catalog":
        names = [c.name for c in self.classes]
        ids = [c.id for c in self.classes]
        for what, values in (("name", names), ("id", [str(i) for i in ids])):
            double = sorted({v for v in values if values.count(v) > 1})
            if double:
                raise ValueError(f"class {what} given twice: {', '.join(double)}")
        if ids != sorted(ids):
            raise ValueError("classes must stand in order of their ids")
        for c in self.classes:
            if c.thing and c.id == 0:
                # 0*1000+k would read as class k.
                raise ValueError(f"class {c.name!r}: a thing class needs an id above 0")
            for other in (*c.support, *c.companion):
                if other not in names:
                    raise ValueError(f"class {c.name!r}: {unknown_name('class', other, names)}")
        return self

    # Look-up tables that were made already are no part of what a catalog is: not compared, not sent to workers.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalog) and (self.name, self.classes) == (other.name, other.classes)

    def __hash__(self) -> int:
        return hash((self.name, self.classes))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.name, self.classes)

    @cached_property
    def _by_name(self) -> dict[str, ClassSpec]:
        return {c.name: c for c in self.classes}

    @cached_property
    def _by_id(self) -> dict[int, ClassSpec]:
        return {c.id: c for c in self.classes}

    def named(self, name: str) -> ClassSpec:
        """The class of this name; ValueError names the nearest one otherwise."""
        if name not in self._by_name:
            raise ValueError(f"{unknown_name('class', name, self._by_name)} (catalog {self.name})")
        return self._by_name[name]

    def with_id(self, class_id: int) -> ClassSpec:
        """The class of this id; ValueError otherwise."""
        if class_id not in self._by_id:
            raise ValueError(f"id {class_id} is not a class of catalog {self.name}")
        return self._by_id[class_id]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def num_channels(self) -> int:
        """How many one-hot channels a network over this catalog has."""
        return len(self.classes)

    @property
    def max_id(self) -> int:
        return self.classes[-1].id

    @property
    def label_dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The type label maps of this catalog are stored in."""
        return np.uint8 if self.max_id <= 255 else np.uint16

    @property
    def wide_instances(self) -> bool:
        """Whether class*1000+k can exceed 16 bits, so that instance maps are stored as RGB (R + 256 G + 65536 B)."""
        return any(c.thing and (c.id + 1) * INSTANCES_PER_CLASS - 1 > 65535 for c in self.classes)

    def _table(self, fill: int, dtype: type[np.generic], pairs: dict[int, int]) -> npt.NDArray[np.generic]:
        table = np.full(256 if self.max_id <= 255 else 65536, fill, dtype)
        for class_id, value in pairs.items():
            table[class_id] = value
        table.flags.writeable = False
        return table

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Look-up table: is this id a class?"""
        return self._table(0, np.bool_, {c.id: 1 for c in self.classes}).astype(np.bool_)

    @cached_property
    def is_thing(self) -> npt.NDArray[np.bool_]:
        """Look-up table: is this id a thing class?"""
        return self._table(0, np.bool_, {c.id: 1 for c in self.classes if c.thing}).astype(np.bool_)

    @cached_property
    def void_ids(self) -> tuple[int, ...]:
        """Ids of the classes that neither teach nor count."""
        return tuple(c.id for c in self.classes if c.void)

    @cached_property
    def is_void(self) -> npt.NDArray[np.bool_]:
        """Look-up table: is this id a void class?"""
        return self._table(0, np.bool_, {c.id: 1 for c in self.classes if c.void}).astype(np.bool_)

    @cached_property
    def of_layer(self) -> dict[Layer, npt.NDArray[np.bool_]]:
        """Look-up tables by layer: is this id a class of it?"""
        return {
            layer: self._table(0, np.bool_, {c.id: 1 for c in self.classes if c.layer == layer}).astype(np.bool_)
            for layer in get_args(Layer)
        }

    @cached_property
    def fills_holes(self) -> npt.NDArray[np.bool_]:
        """Look-up table: may this id be continued behind an object that goes? Ground, structures and sky."""
        behind = {c.id: 1 for c in self.classes if c.layer in ("ground", "structure", "sky")}
        return self._table(0, np.bool_, behind).astype(np.bool_) & ~self.is_void & ~self.is_thing

    @cached_property
    def is_thin(self) -> npt.NDArray[np.bool_]:
        """Look-up table: poles, signs and the like, objects that have no instances."""
        return self.of_layer["object"] & ~self.is_thing & ~self.is_void

    @cached_property
    def supports(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Look-up tables by class name: can an object of the class stand on this id?"""
        return {
            c.name: self._table(0, np.bool_, {self.named(name).id: 1 for name in c.support}).astype(np.bool_)
            for c in self.classes
            if c.support
        }

    @cached_property
    def channel_of(self) -> npt.NDArray[np.uint16]:
        """Look-up table: class id to one-hot channel; ids that are no class map to `num_channels`."""
        ranks = {c.id: rank for rank, c in enumerate(self.classes)}
        return self._table(self.num_channels, np.uint16, ranks).astype(np.uint16)

    @cached_property
    def id_of(self) -> npt.NDArray[np.uint16]:
        """Look-up table the other way: one-hot channel to class id."""
        return np.array([c.id for c in self.classes], np.uint16)

    @cached_property
    def train_id_of(self) -> npt.NDArray[np.uint8]:
        """Look-up table: class id to train id, 255 for classes left out of training and evaluation."""
        return self._table(255, np.uint8, {c.id: c.train_id for c in self.classes}).astype(np.uint8)

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8]:
        """Look-up table: class id to RGB colour."""
        table = np.zeros((256 if self.max_id <= 255 else 65536, 3), np.uint8)
        for c in self.classes:
            table[c.id] = c.color
        table.flags.writeable = False
        return table


def _unpickled(name: str, classes: tuple[ClassSpec, ...]) -> Catalog:
    return Catalog.model_construct(name=name, classes=classes)
