"""Made-up outlines are tight, in one piece, and a little different each time."""

import cv2
import numpy as np
import pytest

from label_editing.catalog import Catalog
from label_editing.instance_bank import COMPANION, NOTHING
from label_editing.silhouettes import silhouette

NAMES = ["car", "truck", "bus", "train", "person", "bicycle", "motorcycle", "rider", "dog", "giraffe", "teddy bear"]


@pytest.mark.parametrize("name", NAMES)
def test_an_outline_is_tight_and_in_one_piece(catalog: Catalog, name: str) -> None:
    spec = catalog.named("rider" if name == "rider" else "car").model_copy(update={"name": name})
    for seed in range(5):
        parts = silhouette(spec, np.random.default_rng(seed)).parts
        drawn = parts != NOTHING
        assert drawn.any(axis=1).all() or name == "giraffe"
        assert drawn[0].any()
        assert drawn[-1].any()
        assert drawn[:, 0].any()
        assert drawn[:, -1].any()
        assert cv2.connectedComponents(drawn.astype(np.uint8), connectivity=8)[0] == 2
        assert (parts == COMPANION).any() == (name == "rider")


def test_outlines_differ_by_draw_and_repeat_by_seed(catalog: Catalog) -> None:
    car = catalog.named("car")
    one, again, other = (silhouette(car, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one == again
    assert one.packed != other.packed


def test_proportions_are_those_of_the_thing(catalog: Catalog) -> None:
    def aspect(name: str) -> float:
        entry = silhouette(catalog.named("car").model_copy(update={"name": name}), np.random.default_rng(0))
        return entry.width / entry.height

    assert aspect("person") < 0.8 < 1.0 < aspect("car") < 2.5
