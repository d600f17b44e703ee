"""A bank small enough to check by eye: looks are (hour, tint), night images at -1 and day images at +1."""

import numpy as np
import pytest

from generators.style import StyleKind
from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import Scene
from pipeline.styles.bank import Cluster, Members, StyleBank

ROAD, SKY, CAR = 1, 2, 3


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(
        name="toy",
        classes=(
            ClassSpec(id=ROAD, name="road", color=(128, 64, 128), layer="ground"),
            ClassSpec(id=SKY, name="sky", color=(70, 130, 180), layer="sky"),
            ClassSpec(id=CAR, name="car", color=(0, 0, 142), layer="object", thing=True),
        ),
    )


@pytest.fixture
def scene(catalog: Catalog) -> Scene:
    labels = np.array([[SKY, SKY, SKY, SKY], [ROAD, CAR, CAR, ROAD], [ROAD, CAR, CAR, ROAD]], np.uint8)
    instances = labels.astype(np.int32)
    instances[1:, 1], instances[1:, 2] = 3000, 3001
    return Scene(labels, instances, catalog, "somewhere", {"time_of_day": "night"})


@pytest.fixture
def bank() -> StyleBank:
    """Six images, odd ones at night; no cars in images 0 and 1. Cluster 0 is night, 1 day."""
    rows = [
        (image, class_id, (0 if image % 2 else 1), 1, (-1.0 if image % 2 else 1.0, image / 10))
        for image in range(6)
        for class_id in (ROAD, SKY, CAR)
        if not (class_id == CAR and image < 2)
    ]
    image, class_id, cluster, size, vectors = zip(*rows, strict=True)
    members = Members(
        np.array(image, np.int32),
        np.array(class_id, np.int32),
        np.array(cluster, np.int32),
        np.array(size, np.int32),
        np.array(vectors, np.float32),
    )
    clusters = tuple(
        Cluster(c, n, np.array([2.0 * n - 1, 0], np.float32), 3, {"time_of_day": {("night", "day")[n]: 3}})
        for c in (ROAD, SKY, CAR)
        for n in (0, 1)
    )
    return StyleBank(
        StyleKind.INSTANCE,
        2,
        clusters,
        tuple(f"image{i}" for i in range(6)),
        tuple({"time_of_day": "night" if i % 2 else "day"} for i in range(6)),
        members,
    )
