"""COCO-Stuff: stored values are official ids minus one, and painted counts become instances."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import SourceError


def test_stored_values_become_official_ids(small_source):
    source = small_source("coco_stuff").open()
    labels = source.read_scene("000000000139").labels
    assert {source.catalog.with_id(int(i)).name for i in np.unique(labels)} == {
        "unlabelled",
        "person",
        "car",
        "road",
        "sky-other",
    }


def test_painted_counts_become_instances(small_source):
    instances = small_source("coco_stuff").open().read_scene("000000000285").instances
    objects = {int(i): int((instances == i).sum()) for i in np.unique(instances) if i >= 1000}
    assert objects == {1000: 60, 3000: 30}  # the person's polygon spills onto the road around it
    assert (instances == 3).sum() == 30  # cars that no polygon covers


def test_16_bit_label_maps_are_not_cocos(small_source, encode_png):
    config = small_source("coco_stuff")
    path = Path(config.root) / "train_label" / "000000000139.png"
    path.write_bytes(encode_png(np.zeros((24, 40), np.uint16)))
    with pytest.raises(SourceError) as caught:
        config.open().read_scene("000000000139")
    assert str(caught.value) == f"{path}: stores uint16; label maps of COCO-Stuff have 8 bits"
