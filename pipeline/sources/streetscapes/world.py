"""The street world: everything in it, in metres, before any pixel."""

from dataclasses import dataclass, field
from typing import Literal

from pipeline.sources.streetscapes.camera import Camera
from pipeline.sources.streetscapes.shapes import Item, Part, Shadow

TimeOfDay = Literal["day", "dusk", "night"]
Weather = Literal["clear", "overcast", "fog"]


@dataclass(frozen=True)
class Lamps:
    """The street lamps of one side: one every `spacing` metres from `first` on."""

    x: float
    height: float
    spacing: float
    first: float


@dataclass
class World:
    """A street and its hour. The same layout under another hour is the same geometry."""

    camera: Camera
    time_of_day: TimeOfDay
    weather: Weather
    sun_side: float  # -1 left .. 1 right: where sun or moon stand
    grain: int  # where in the noise tile this world begins
    ground: Item = field(default_factory=lambda: Item(0.0))
    behind: list[Item] = field(default_factory=list)  # houses, parks: beyond the pavements
    border: list[Item] = field(default_factory=list)  # fences between them and the pavements
    street: list[Item] = field(default_factory=list)  # all that stands on road and pavements
    shadows: list[Shadow] = field(default_factory=list)
    lamps: list[Lamps] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def new_instance(self, class_id: int) -> int:
        """The next free instance id of a class."""
        k = self.counts.get(class_id, 0)
        if k >= 1000:
            raise ValueError(f"a world holds at most 1000 instances of class {class_id}")
        self.counts[class_id] = k + 1
        return class_id * 1000 + k

    def painting_order(self) -> list[Part]:
        """Every part, what is hidden before what hides it.

        A line of sight from the road meets the street, then a fence, then what is behind:
        so the three are sorted each by itself.
        """
        parts = list(self.ground.parts)
        for layer in (self.behind, self.border, self.street):
            for item in sorted(layer, key=lambda item: -item.depth):
                parts.extend(item.parts)
        return parts
