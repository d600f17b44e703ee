"""A small street catalog, streets drawn to an exact perspective, and the real maps where they are at hand."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from label_editing.catalog import Catalog
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.base import EditContext
from label_editing.edits.drop import Drop
from label_editing.scene import Scene

_ROOT = Path(__file__).parents[2]
_DATA = _ROOT.parent / "shared" / "data"

HORIZON, SCALE = 0.4, 0.5  # of every street drawn here
_WALKS = ["sidewalk", "road"]
_ROAD, _SIDEWALK, _BUILDING, _SKY = 1, 2, 4, 6


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    classes = [
        {"id": 0, "name": "unlabeled", "layer": "void", "void": True},
        {"id": 1, "name": "road", "layer": "ground"},
        {"id": 2, "name": "sidewalk", "layer": "ground"},
        {"id": 3, "name": "ego vehicle", "layer": "fixed", "void": True},
        {"id": 4, "name": "building", "layer": "structure"},
        {"id": 5, "name": "vegetation", "layer": "structure"},
        {"id": 6, "name": "sky", "layer": "sky"},
        {"id": 7, "name": "pole", "layer": "object"},
        {"id": 10, "name": "person", "layer": "object", "thing": True, "height_m": 1.7, "support": _WALKS},
        {
            "id": 11, "name": "rider", "layer": "object", "thing": True, "height_m": 1.75, "support": ["road"],
            "companion": ["bicycle", "motorcycle"],
        },
        {"id": 12, "name": "car", "layer": "object", "thing": True, "height_m": 1.5, "support": ["road"]},
        {"id": 13, "name": "bicycle", "layer": "object", "thing": True, "height_m": 1.1, "support": _WALKS},
        {"id": 14, "name": "balloon", "layer": "object", "thing": True},
        {"id": 15, "name": "motorcycle", "layer": "object", "thing": True, "height_m": 1.2, "support": _WALKS},
    ]  # fmt: skip
    return Catalog.model_validate(
        {"name": "small", "classes": [{"color": (c["id"] * 17, 255 - c["id"], 9), **c} for c in classes]}
    )


@pytest.fixture(scope="session")
def street(catalog: Catalog) -> Callable[..., Scene]:
    """A street 256x128 or of another size: sky, buildings, road between sidewalks, cars and persons to scale."""

    def draw(height: int = 128, width: int = 256, cars: int = 4, persons: int = 2, key: str = "street") -> Scene:
        horizon = round(HORIZON * height)
        labels = np.full((height, width), _BUILDING, np.uint8)
        labels[: horizon // 2, width // 3 : 2 * width // 3] = _SKY
        labels[horizon + 2 :] = _SIDEWALK
        road = [(width // 2, horizon + 2), (width // 8, height), (7 * width // 8, height)]
        cv2.fillPoly(labels, [np.array(road)], _ROAD)
        instances = labels.astype(np.int32)

        def put(code: int, window: tuple[slice, slice]) -> None:
            labels[window], instances[window] = code // 1000, code

        for k in range(cars):
            foot = round((0.52 + 0.36 * k / max(1, cars - 1)) * height)
            tall = round(1.5 * SCALE * (foot - HORIZON * height))
            half_road = width * 0.375 * (foot - horizon) / (height - horizon)
            left = round(width / 2 + (0.1 if k % 2 else -0.9) * half_road)
            put(12000 + k, np.s_[foot - tall : foot, left : left + round(1.2 * tall)])
        for k in range(persons):
            foot = round((0.6 + 0.2 * k) * height)
            tall = round(1.7 * SCALE * (foot - HORIZON * height))
            put(10000 + k, np.s_[foot - tall : foot, 4 + 12 * k : 4 + 12 * k + max(2, tall // 4)])
        return Scene(labels, instances, catalog, key, {"time_of_day": "day"})

    return draw


@pytest.fixture(scope="session")
def cityscapes_catalog() -> Catalog:
    return Catalog.model_validate(yaml.safe_load((_ROOT / "configs" / "classes" / "cityscapes.yaml").read_text()))


@pytest.fixture(scope="session")
def cityscapes_scenes(cityscapes_catalog: Catalog) -> list[Scene]:
    """The real maps, at full size."""
    found = sorted((_DATA / "cityscapes" / "gtFine").glob("*/*/*_instanceIds.png"))
    if not found:
        pytest.skip("../shared/data/cityscapes is not there")
    scenes = []
    for path in found:
        instances = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.int32)
        labels = cv2.imread(str(path).replace("instanceIds", "labelIds"), cv2.IMREAD_UNCHANGED)
        scenes.append(Scene(labels, instances, cityscapes_catalog, path.name.removesuffix("_gtFine_instanceIds.png")))
    return scenes


@pytest.fixture(scope="session")
def coco_scenes() -> list[Scene]:
    """The real COCO-Stuff maps; their instance files number instances freely, so they are made class*1000+k here."""
    found = sorted((_DATA / "coco_stuff").glob("*_label/*.png"))
    if not found:
        pytest.skip("../shared/data/coco_stuff is not there")
    catalog = Catalog.model_validate(yaml.safe_load((_ROOT / "configs" / "classes" / "coco_stuff.yaml").read_text()))
    scenes = []
    for path in found:
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels = np.where(stored == 255, 0, stored + 1).astype(np.uint8)  # the catalog's ids: 0 is unlabelled
        numbers = cv2.imread(str(path).replace("_label", "_inst"), cv2.IMREAD_UNCHANGED).astype(np.int64)
        instances = labels.astype(np.int32)
        for class_id in np.unique(labels[catalog.is_thing[labels]]).tolist():
            of_class = labels == class_id
            _, ranks = np.unique(numbers[of_class], return_inverse=True)
            instances[of_class] = class_id * 1000 + ranks
        scenes.append(Scene(labels, instances, catalog, path.stem))
    return scenes


@pytest.fixture(scope="session")
def repaste() -> Callable[[Scene, str, int], tuple[int, int]]:
    """Paste an instance, remove it: how many of its background pixels come back, and of how many."""

    def measure(scene: Scene, class_name: str, seed: int) -> tuple[int, int]:
        add = AddInstances.model_validate({"class": class_name})
        pasted, record = add.apply(scene, EditContext(), np.random.default_rng(seed))
        if not record.applied:
            return 0, 0
        ids = tuple(touched.id for touched in record.instances)
        back, _ = Drop(instances=ids).apply(pasted, EditContext(), np.random.default_rng(seed))
        background = np.isin(pasted.instances, ids) & scene.catalog.fills_holes[scene.labels]
        back_again = background & (back.labels == scene.labels)
        return int(np.count_nonzero(back_again)), int(np.count_nonzero(background))

    return measure
