from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError, SourceError
from pipeline.resolution import Resolution
from pipeline.sources.selection import SelectedSource
from pipeline.train_config import load_train_config
from pipeline.training.data import BatchStream, Order, PairReader, Share, Views
from pipeline.training.job import Job
from pipeline.training.run import make_plan

SIZE = Resolution(32, 16)


def test_every_epoch_shows_every_pair_once_in_another_order() -> None:
    order = Order([range(5)], seed=0)
    epochs = [[order.pair_at(5 * e + i) for i in range(5)] for e in range(4)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_order_follows_from_seed_and_position_alone() -> None:
    forwards = [Order([range(7)], seed=3).pair_at(i) for i in range(21)]
    jumping = Order([range(7)], seed=3)
    assert [jumping.pair_at(i) for i in reversed(range(21))] == forwards[::-1]
    assert [Order([range(7)], seed=4).pair_at(i) for i in range(21)] != forwards


def test_groups_come_equally_often_and_their_pairs_too() -> None:
    day, night = range(10), (10, 11, 12)
    order = Order([day, night], seed=0)
    epochs = [Counter(order.pair_at(20 * e + i) for i in range(20)) for e in range(3)]
    for epoch in epochs:
        assert all(epoch[pair] == 1 for pair in day)
        assert sorted(epoch[pair] for pair in night) == [3, 3, 4]
    assert len({tuple(epoch[pair] for pair in night) for epoch in epochs}) > 1


def test_pairs_are_alike_by_an_attribute(job: Job) -> None:
    class Hours(SelectedSource):
        def attributes(self, key: str) -> dict[str, str]:
            return {} if key == keys[2] else {"hour": "night" if key in keys[:2] else "day"}

    source = job.source.open()
    keys = tuple(source.keys())
    reader = PairReader(Hours(source, keys), Views(SIZE), 0)
    assert reader.alike("hour") == [[0, 1], [2], list(range(3, len(keys)))]
    assert reader.alike(None) == [list(range(len(keys)))]


def test_after_a_step_back_other_pairs_come() -> None:
    first, second = Order([range(50)], seed=0), Order([range(50)], seed=0, attempt=1)
    assert [first.pair_at(i) for i in range(50)] != [second.pair_at(i) for i in range(50)]


def test_workers_share_each_batch_without_overlap(job: Job) -> None:
    order = Order([range(8)], seed=0)
    wanted = [order.pair_at(i) for i in range(8)]
    seen: list[int] = []
    for rank in (0, 1):
        reader = PairReader(job.source.open(), Views(SIZE, flip=False), 10**6)
        stream = BatchStream(reader, order, Share(2, rank, 2), threads=2)
        batches = list(stream.batches(0, 2))
        stream.close()
        seen += [int((pair.labels[:, 0] == 1).sum()) - 4 for batch in batches for pair in batch]
    assert Counter(seen) == Counter(wanted)


def test_a_stream_may_begin_at_any_step(job: Job) -> None:
    def tops(first: int) -> list[int]:
        stream = BatchStream(PairReader(job.source.open(), Views(SIZE), 0), Order([range(8)], 0), Share(1), threads=1)
        found = [int((pairs[0].labels == 1).sum()) for pairs in stream.batches(first, 12)]
        stream.close()
        return found

    assert tops(5) == tops(0)[5:]


def test_pairs_in_memory_are_read_once(job: Job) -> None:
    source = job.source.open()
    reader = PairReader(source, Views(SIZE), cache_bytes=10**6)
    for _ in range(3):
        reader.pair(1)
    assert source.reads.count("pair1") == 2  # once for the scene, once for its image


def test_memory_stays_within_its_budget(job: Job) -> None:
    source = job.source.open()
    one_pair = 32 * 16 * (2 + 4 + 3)
    reader = PairReader(source, Views(SIZE), cache_bytes=2 * one_pair)
    for index in (0, 1, 2, 0):
        reader.pair(index)
    assert source.reads.count("pair0") == 4


def test_labels_become_channels_and_classes_stand_in_for_missing_instances(job: Job) -> None:
    pair = PairReader(job.source.open(), Views(SIZE, flip=False), 0).pair(0)
    assert set(np.unique(pair.labels)) == {0, 1}
    assert set(np.unique(pair.instances)) == {2, 5}


def test_cuts_have_the_size_asked_for_and_keep_label_and_image_together(job: Job) -> None:
    reader = PairReader(job.source.open(), Views(Resolution(16, 16), load=Resolution(40, 24)), 0)
    rng = np.random.default_rng(0)
    for index in range(8):
        pair = reader.view(index, rng)
        assert pair.labels.shape == (16, 16)
        assert np.array_equal(pair.image[..., 0] == 200, pair.labels == 1)


def test_unpaired_training_gets_the_image_of_another_scene(job: Job) -> None:
    reader = PairReader(job.source.open(), Views(SIZE, flip=False), 10**6, paired=False)
    rng = np.random.default_rng(0)
    pairs = [reader.view(0, rng) for _ in range(20)]
    assert any(not np.array_equal(p.image[..., 0] == 200, p.labels == 1) for p in pairs)


def test_an_image_too_small_to_cut_is_named(job: Job) -> None:
    reader = PairReader(job.source.open(), Views(Resolution(64, 16), native=True), 0)
    with pytest.raises(SourceError, match=r"^pair0: 32x16 is smaller than the 64x16 to cut out of it$"):
        reader.pair(0)


def test_label_maps_without_an_image_are_not_trained_on(job: Job) -> None:
    source = job.source.model_copy(update={"without_image": ("pair0", "pair3")})
    reader = PairReader(source.open(), Views(SIZE, flip=False), 10**6)
    assert len(reader) == 6
    assert [int((reader.pair(i).labels[:, 0] == 1).sum()) - 4 for i in range(6)] == [1, 2, 4, 5, 6, 7]


def test_a_config_balances_an_attribute_that_its_source_has() -> None:
    few = ["source={format: streetscapes, scenes: 6, times_of_day: [day, day, night]}"]
    plan = make_plan(load_train_config("streetscapes", [*few, "data.balance=time_of_day"]).value, None)
    assert plan.job.balance == "time_of_day"
    assert plan.job.identity() != replace(plan.job, balance=None).identity()
    with pytest.raises(InputError, match=r"data\.balance: unknown attribute 'hour'; .*time_of_day"):
        make_plan(load_train_config("streetscapes", [*few, "data.balance=hour"]).value, None)
