"""The procedural street world as a source: scenes by index, each drawn from seed, split and number alone."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from pydantic import Field, field_validator

from label_editing.catalog import Catalog
from label_editing.scene import Scene
from pipeline.catalogs import load_catalog
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Pair, Source, SourceConfig
from pipeline.sources.selection import selected
from pipeline.sources.streetscapes.chance import pick
from pipeline.sources.streetscapes.rasterise import Rendered, rasterise
from pipeline.sources.streetscapes.street import draw_world
from pipeline.sources.streetscapes.world import TimeOfDay, Weather, World

# Raised with every change that alters a scene, so that nothing made from the old world passes for the new one.
WORLD_VERSION = 1
NATIVE = Resolution(2048, 1024)


class StreetscapesConfig(SourceConfig):
    """A street world to train on and to augment where there is no data set."""

    format: Literal["streetscapes"] = "streetscapes"
    split: Literal["train", "val"] = "train"
    scenes: int = Field(default=400, ge=1, le=1_000_000)
    seed: int = Field(default=0, ge=0)
    # A name given twice is drawn twice as often.
    times_of_day: tuple[TimeOfDay, ...] = get_args(TimeOfDay)
    weathers: tuple[Weather, ...] = get_args(Weather)

    @field_validator("times_of_day", "weathers")
    @classmethod
    def _not_empty(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        # A minimum length would also be reported, wrongly, where one of the names is wrong.
        if not names:
            raise ValueError("is empty; name at least one")
        return names

    def open(self) -> Source:
        """The source, narrowed to what is selected; nothing else can be missing."""
        return selected(StreetscapesSource(self), self)


class StreetscapesSource(Source):
    """Street scenes that exist once they are asked for."""

    format = "streetscapes"

    def __init__(self, config: StreetscapesConfig) -> None:
        self.split = config.split
        self.catalog: Catalog = load_catalog("cityscapes")
        self._config = config

    def keys(self) -> Sequence[str]:
        """streetscapes-<split>-<number>."""
        return [f"streetscapes-{self.split}-{index:06d}" for index in range(self._config.scenes)]

    def attributes(self, key: str) -> Mapping[str, str]:
        """Hour and weather of a scene, drawn without drawing the scene."""
        time_of_day, weather = self._hour(self._index(key))
        return {"time_of_day": time_of_day, "weather": weather}

    def world(self, key: str) -> World:
        """The street world behind a key."""
        index = self._index(key)
        return draw_world(self._rng(index, "world"), *self._hour(index))

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        """Labels and instances alone: three times as fast as with the picture."""
        return self._scene(key, rasterise(self.world(key), resolution or NATIVE, with_image=False))

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        """The picture, rendered at the resolution asked for."""
        return rasterise(self.world(key), resolution or NATIVE).image

    def read(self, key: str, resolution: Resolution | None = None) -> Pair:
        """Scene and picture from one painting."""
        rendered = rasterise(self.world(key), resolution or NATIVE)
        return Pair(self._scene(key, rendered), rendered.image)

    def fingerprint(self) -> str:
        """A hash over the config and the version of the world."""
        content = json.dumps([WORLD_VERSION, self._config.model_dump(mode="json")], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()

    def _scene(self, key: str, rendered: Rendered) -> Scene:
        return Scene(rendered.labels, rendered.instances, self.catalog, key, self.attributes(key))

    def _hour(self, index: int) -> tuple[TimeOfDay, Weather]:
        rng = self._rng(index, "hour")
        return pick(rng, self._config.times_of_day), pick(rng, self._config.weathers)

    def _index(self, key: str) -> int:
        match = re.fullmatch(rf"streetscapes-{self.split}-(\d{{6}})", key)
        if match is None or int(match[1]) >= self._config.scenes:
            last = self._config.scenes - 1
            raise SourceError(
                f"streetscapes: no scene {key!r}; this source has streetscapes-{self.split}-000000 to "
                f"streetscapes-{self.split}-{last:06d}"
            )
        return int(match[1])

    def _rng(self, index: int, stream: str) -> np.random.Generator:
        name = f"streetscapes/{self._config.seed}/{self.split}/{index}/{stream}"
        return np.random.default_rng(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little"))
