import re
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from pipeline.errors import InputError, StorageError
from pipeline.shards.reader import open_dataset


def keys(dataset, **loader):
    if not loader:
        return [sample["key"] for sample in dataset]
    return [key for batch in DataLoader(dataset, **loader) for key in batch["key"]]


ALL = {f"toy-{i:08d}" for i in range(21)}


def test_an_epoch_gives_every_sample_once(dataset):
    assert sorted(keys(open_dataset(dataset.url))) == sorted(ALL)


def test_the_order_belongs_to_seed_and_epoch(dataset):
    one, two, other = (open_dataset(dataset.url, seed=seed) for seed in (0, 0, 1))
    assert keys(one) == keys(two) != keys(other)
    one.set_epoch(1)
    assert keys(one) != keys(two)
    one.set_epoch(0)
    assert keys(one) == keys(two)


def test_unshuffled_is_the_order_of_the_shards(dataset):
    assert keys(open_dataset(dataset.url, shuffle=False)) == sorted(ALL)


def test_instance_ids_above_8_bits_arrive_intact(dataset):
    sample = next(iter(open_dataset(dataset.url, shuffle=False)))
    assert sample["instances"].dtype == "int32"
    assert set(sample["instances"].ravel().tolist()) == {7, 26000, 26300}
    assert (sample["labels"] == 26).sum() == 40
    assert sample["image"].shape == (16, 24, 3)


@pytest.mark.parametrize("workers", [0, 2])
def test_ranks_and_workers_share_nothing_and_are_equally_long(dataset, workers):
    by_rank = [
        keys(open_dataset(dataset.url, rank=rank, world_size=2), batch_size=3, num_workers=workers) for rank in (0, 1)
    ]
    assert len(by_rank[0]) == len(by_rank[1]) > 0
    assert len({*by_rank[0], *by_rank[1]}) == len(by_rank[0]) + len(by_rank[1])


@pytest.mark.parametrize("batches", [0, 1, 3, 5])
@pytest.mark.parametrize("workers", [0, 2])
def test_reading_goes_on_after_any_batch(dataset, batches, workers):
    rest = open_dataset(dataset.url)
    rest.start_at(0, batches, 4)
    whole = DataLoader(open_dataset(dataset.url), batch_size=4, num_workers=workers)
    left = [batch["key"] for batch in DataLoader(rest, batch_size=4, num_workers=workers)]
    assert left == [batch["key"] for batch in whole][batches:]


def test_workers_that_outlive_an_epoch_see_the_next_one(dataset):
    reader = open_dataset(dataset.url)
    loader = DataLoader(reader, batch_size=4, num_workers=1, persistent_workers=True)
    first = [key for batch in loader for key in batch["key"]]
    reader.set_epoch(1)
    second = [key for batch in loader for key in batch["key"]]
    fresh = open_dataset(dataset.url)
    fresh.set_epoch(1)
    assert sorted(first) == sorted(second)
    assert second == keys(fresh)


def test_batches_are_tensors_of_the_stored_types(dataset):
    batch = next(iter(DataLoader(open_dataset(dataset.url), batch_size=2)))
    assert batch["image"].dtype == batch["labels"].dtype == torch.uint8
    assert batch["instances"].dtype == torch.int32


def test_more_workers_than_shards_is_refused_with_advice(dataset):
    message = (
        f"{dataset.url}: 4 shards for 5 workers over all ranks: some get none; use fewer workers, or make the data "
        "set with a smaller output.samples_per_shard"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        keys(open_dataset(dataset.url, rank=0, world_size=5))


def test_a_changed_shard_is_found_when_asked_for(dataset):
    path = Path(dataset.url) / "shards" / "train-000001.tar"
    data = bytearray(path.read_bytes())
    data[-2000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(StorageError, match=r"train-000001\.tar: changed since it was written$"):
        keys(open_dataset(dataset.url, check=True))


def test_plain_webdataset_reads_the_shards_knowing_nothing_of_synthgen(dataset):
    import cv2
    import numpy as np
    import webdataset as wds

    def png(data):
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    shards = sorted(str(path) for path in Path(dataset.url, "shards").glob("*.tar"))
    pairs = wds.WebDataset(shards, shardshuffle=False).decode(wds.handle_extension("seg.png inst.png", png))
    found = {sample["__key__"]: sample for sample in pairs}
    assert set(found) == ALL
    for key, sample in found.items():
        assert sample["inst.png"].dtype == np.uint16
        stuff = sample["inst.png"] < 1000
        classes = np.where(stuff, sample["inst.png"], sample["inst.png"] // 1000)
        assert (classes == sample["seg.png"]).all()
        assert sample["json"]["key"] == key
