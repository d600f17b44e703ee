import json
from pathlib import Path

import numpy as np
import pytest

from label_editing.catalog import Catalog, ClassSpec
from label_editing.scene import Scene
from pipeline.augment.manifest import Manifest
from pipeline.shards import layout
from pipeline.shards.commit import Marker, commit_shard, sha256_of
from pipeline.shards.pixels import encode_image, encode_instances, encode_labels
from pipeline.shards.sample import SampleRecord, as_json, count_pixels, describe_instances
from pipeline.shards.tar import build_tar
from pipeline.storage import Store

CATALOG = Catalog(
    name="toy",
    classes=(
        ClassSpec(id=0, name="void", color=(0, 0, 0), layer="void", void=True),
        ClassSpec(id=7, name="road", color=(128, 64, 128), layer="ground"),
        ClassSpec(id=26, name="car", color=(0, 0, 142), layer="object", thing=True),
    ),
)


def toy_scene(number: int) -> Scene:
    """A road of 24x16 with two cars whose ids and place depend on the number."""
    labels = np.full((16, 24), 7, np.uint8)
    instances = labels.astype(np.int32)
    for k, left in enumerate((2 + number % 5, 14)):
        labels[6:10, left : left + 5] = 26
        instances[6:10, left : left + 5] = 26000 + 300 * k + number % 300
    return Scene(labels, instances, CATALOG, f"scene_{number}")


def toy_record(scene: Scene, key: str) -> SampleRecord:
    return SampleRecord(
        key=key,
        source='{"format":"toy"}',
        source_key=scene.key,
        split="train",
        catalog="toy",
        recipe="toy",
        recipe_fingerprint="0",
        seed=0,
        variant=0,
        model="toy",
        model_fingerprint="0",
        width=24,
        height=16,
        agreement=-1.0,
        edits="[]",
        styles="[]",
        instances=as_json(describe_instances(scene)),
        pixels=as_json(count_pixels(scene.labels, CATALOG)),
    )


def toy_fields(number: int, key: str) -> tuple[dict[str, bytes], SampleRecord]:
    scene = toy_scene(number)
    image = np.random.default_rng(number).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    record = toy_record(scene, key)
    fields = {
        "png": encode_image(image, "png", 0),
        "seg.png": encode_labels(scene.labels, CATALOG),
        "inst.png": encode_instances(scene.labels, scene.instances, CATALOG),
        "json": record.to_json(),
    }
    return fields, record


def write_toy_dataset(root: Path, sizes: list[int]) -> Store:
    """A complete data set with shards of these sizes."""
    store, number, entries = Store(str(root)), 0, []
    for index, size in enumerate(sizes):
        shard = f"train-{index:06d}"
        keys = [f"toy-{number + i:08d}" for i in range(size)]
        made = [toy_fields(number + i, key) for i, key in enumerate(keys)]
        tar = build_tar((key, fields) for key, (fields, _) in zip(keys, made, strict=True))
        rows = Manifest(CATALOG).rows(shard, [record for _, record in made])
        marker = Marker(
            shard=shard,
            plan="p",
            sha256=sha256_of(tar),
            size=len(tar),
            samples=size,
            rows_sha256=sha256_of(rows),
            statistics={},
        )
        commit_shard(store, marker, tar, rows, fence=lambda: None)
        entries.append({"name": f"{shard}.tar", "sha256": marker.sha256, "size": marker.size, "samples": size})
        number += size
    manifest = Manifest(CATALOG).merge(store, [f"train-{i:06d}" for i in range(len(sizes))])
    store.write_atomic(layout.MANIFEST, manifest)
    said = {
        "plan": "p",
        "catalog": CATALOG.model_dump(mode="json"),
        "shards": entries,
        "manifest_sha256": sha256_of(manifest),
    }
    store.write_atomic(layout.DATASET, json.dumps(said).encode())
    return store


@pytest.fixture
def dataset(tmp_path: Path) -> Store:
    """Four shards of 6, 6, 6 and 3 samples."""
    return write_toy_dataset(tmp_path / "set", [6, 6, 6, 3])
