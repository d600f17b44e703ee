"""The table of a data set, read back."""

import io
import json

import pyarrow.parquet as pq
import pytest

from pipeline.augment.manifest import Manifest
from pipeline.catalogs import load_catalog
from pipeline.shards import layout
from pipeline.shards.sample import SampleRecord
from pipeline.storage import Store

RECORD = SampleRecord(
    key="a",
    source="{}",
    source_key="s",
    split="train",
    catalog="cityscapes",
    recipe="r",
    recipe_fingerprint="0",
    seed=1,
    variant=0,
    model="m",
    model_fingerprint="0",
    width=4,
    height=2,
    agreement=1.0,
    edits="[]",
    styles="[]",
    instances=json.dumps([{"class": "car"}, {"class": "car"}]),
    pixels=json.dumps({"road": 8}),
)


def without_things(catalog):
    return catalog.model_copy(update={"classes": tuple(c.model_copy(update={"thing": False}) for c in catalog.classes)})


@pytest.mark.parametrize("things", [True, False])
def test_classes_are_counted_also_where_none_has_instances(things, tmp_path):
    catalog = load_catalog("cityscapes")
    manifest, store = Manifest(catalog if things else without_things(catalog)), Store(str(tmp_path))
    for shard, key in (("train-000000", "a"), ("train-000001", "b")):
        store.write_atomic(layout.rows_path(shard), manifest.rows(shard, [RECORD.model_copy(update={"key": key})]))
    table = pq.read_table(io.BytesIO(manifest.merge(store, ["train-000000", "train-000001"]))).to_pylist()
    assert [(row["shard"], row["key"], row["pixels"]["road"]) for row in table] == [
        ("train-000000", "a", 8),
        ("train-000001", "b", 8),
    ]
    assert [row["instances"]["car"] if things else row.get("instances") for row in table] == (
        [2, 2] if things else [None] * 2
    )
