from collections.abc import Callable
from typing import Any

import pytest

from label_editing.catalog import Catalog
from pipeline.report.summary import ClassCounts, RunSummary


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.model_validate(
        {
            "name": "tiny",
            "classes": [
                {"id": 0, "name": "road", "color": (128, 64, 128), "layer": "ground"},
                {"id": 1, "name": "sky", "color": (70, 130, 180), "layer": "sky"},
                {"id": 2, "name": "car", "color": (0, 0, 142), "layer": "object", "thing": True},
                {"id": 3, "name": "ship", "color": (0, 0, 90), "layer": "object", "thing": True},
            ],
        }
    )


@pytest.fixture
def make_summary(catalog: Catalog) -> Callable[..., RunSummary]:
    def make(**changes: Any) -> RunSummary:
        values: dict[str, Any] = {
            "name": "night_cars",
            "recipe_text": "name: night_cars\nedits:\n  - {op: add_instances, class: car, count: [1, 4]}\n",
            "catalog": catalog,
            "samples": 1200,
            "shards": 5,
            "num_bytes": 123_456_789,
            "width": 256,
            "height": 128,
            "splits": {"train": "shards/train-*.tar"},
            "before": ClassCounts({"road": 600, "sky": 300, "car": 100}, {"car": 10}),
            "after": ClassCounts({"road": 500, "sky": 300, "car": 200}, {"car": 25}),
            "edits": {"add_instances": {"applied": 900, "no free road wide enough": 300}},
            "rejected": {"agreement below 0.6": 12},
            "failed": [{"source_key": "a<b>", "stage": "edit", "reason": "label map is empty"}],
            "stage_seconds": {"edit": 12.0, "render": 100.0, "write": 3.0},
            "wall_seconds": 120.0,
            "attributes": {"time_of_day": {"night": 1200}},
            "agreement": [0.2, 0.81, 0.83, 0.99, 1.0],
            "real_agreement": 0.95,
            "seen_pixels": {"road": 450, "sky": 270, "car": 130},
            "source": {"format": "streetscapes", "split": "train", "fingerprint": "abc"},
            "model": {"url": "runs/streetscapes", "family": "pix2pixhd", "fingerprint": "def"},
            "versions": {"synthgen": "0.1.0", "torch": "2.13.0"},
        }
        return RunSummary(**(values | changes))

    return make
