"""Which real images a data set looks like: its surfaces and features beside those of each group of real images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from label_editing.catalog import Catalog
from pipeline.evaluation.distances import Distances, distances
from pipeline.evaluation.looks import ClassLook, Looks, color_distance

EVERY = "all"


@dataclass(frozen=True)
class Likeness:
    """The data set beside one group of real images."""

    images: int
    color_distance: float  # between mean colours of a class, in grey levels; every class by its pixels in the data set
    sharpness_of_real: float  # weighted likewise
    distances: Distances | None
    looks: Mapping[str, ClassLook]  # of the real images

    def as_data(self) -> dict[str, Any]:
        """As it stands in result files."""
        said = {
            "images": self.images,
            "color_distance": self.color_distance,
            "sharpness_of_real": self.sharpness_of_real,
            "looks": {name: look.as_data() for name, look in self.looks.items()},
        }
        return said | (self.distances.as_data() if self.distances else {})


class Groups:
    """Surfaces and features of images, gathered by the value of an attribute, and of all of them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._looks: dict[str, Looks] = {EVERY: Looks(catalog)}
        self._vectors: dict[str, list[Tensor]] = {EVERY: []}

    def add(self, value: str | None, looks: Looks, vector: Tensor) -> None:
        """Count one image, under all and under its value where it has one."""
        for group in (EVERY,) if value is None else (EVERY, value):
            self._looks.setdefault(group, Looks(self._catalog)).merge(looks)
            self._vectors.setdefault(group, []).append(vector)

    def looks(self, group: str = EVERY) -> dict[str, ClassLook]:
        """What each class looks like in the group."""
        return self._looks[group].by_class()

    def beside(self, made: "Groups") -> dict[str, Likeness]:
        """How like each of these groups all that was made is."""
        vectors = made._vectors[EVERY]
        return {
            group: _likeness(made.looks(), self.looks(group), vectors, of_group)
            for group, of_group in sorted(self._vectors.items(), key=lambda item: item[0] != EVERY)
        }


def _likeness(
    made: Mapping[str, ClassLook],
    real: Mapping[str, ClassLook],
    made_vectors: Sequence[Tensor],
    real_vectors: Sequence[Tensor],
) -> Likeness:
    shared = [name for name in made if name in real]
    pixels = sum(made[name].pixels for name in shared)
    weights = {name: made[name].pixels / pixels for name in shared}
    return Likeness(
        images=len(real_vectors),
        color_distance=sum(weights[name] * color_distance(made[name], real[name]) for name in shared),
        sharpness_of_real=sum(weights[n] * made[n].sharpness / max(1e-6, real[n].sharpness) for n in shared),
        distances=distances("segmenter", real_vectors, made_vectors),
        looks=real,
    )
