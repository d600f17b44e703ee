import hashlib
import pickle
import re
import time
import tracemalloc
from collections import Counter
from itertools import groupby

import numpy as np
import pytest

from pipeline.plan import draw_plan, flat_name, sample_rng

KEYS = [f"town_{i:03d}" for i in range(10)]


def specs(plan):
    return [plan.sample(slot) for slot in range(plan.num_samples)]


def test_the_same_recipe_gives_the_same_plan():
    one, two = (draw_plan("night", KEYS, 57, 7, 8) for _ in range(2))
    assert specs(one) == specs(two)
    assert one.digest() == two.digest()


@pytest.mark.parametrize("change", [{"seed": 8}, {"name": "day"}, {"samples_per_shard": 9}, {"num_samples": 58}])
def test_any_other_input_gives_another_digest(change):
    given = {"name": "night", "source_keys": KEYS, "num_samples": 57, "seed": 7, "samples_per_shard": 8}
    assert draw_plan(**given).digest() != draw_plan(**{**given, **change}).digest()


def test_every_scene_comes_up_before_any_comes_up_again():
    plan = draw_plan("night", KEYS, 35, 0, 8)
    for first in (0, 10, 20):
        assert {plan.sample(slot).source_key for slot in range(first, first + 10)} == set(KEYS)
    assert {spec.variant for spec in specs(plan)} == {0, 1, 2, 3}


def test_scene_and_variant_together_are_never_repeated_not_even_by_spares():
    plan = draw_plan("night", KEYS, 64, 3, 8, weights=np.linspace(1, 4, 10))
    drawn = specs(plan)
    drawn += [plan.spare(slot, attempt) for slot in range(64) for attempt in range(1, 9)]
    drawn += [plan.again(slot, attempt, plan.sample(slot).source_key) for slot in range(64) for attempt in range(9, 12)]
    assert len({(spec.source_key, spec.variant) for spec in drawn}) == len(drawn)


def test_keys_are_flat_unique_and_in_the_order_of_their_slots():
    keys = [spec.key for spec in specs(draw_plan("nächte: autos/1", KEYS, 300, 0, 64))]
    assert keys == sorted(set(keys))
    assert all(re.fullmatch("[A-Za-z0-9_-]+", key) for key in keys)
    assert keys[0] == "n_chte_autos_1-00000000"


def test_shards_cover_every_slot_once_in_order():
    plan = draw_plan("night", KEYS, 100, 0, 32)
    shards = list(plan.shards())
    assert [shard.id for shard in shards] == [f"train-{i:06d}" for i in range(4)]
    assert [slot for shard in shards for slot in shard.slots] == list(range(100))


def test_a_spare_is_another_scene_and_always_the_same_one():
    plan = draw_plan("night", KEYS, 20, 0, 32)
    for slot in range(20):
        assert plan.spare(slot, 1) == plan.spare(slot, 1)
        assert plan.spare(slot, 1).source_key != plan.sample(slot).source_key
        assert plan.spare(slot, 1).key == plan.sample(slot).key
    assert len({plan.spare(0, attempt).source_key for attempt in range(1, 9)}) > 2


def test_a_retry_keeps_the_scene_and_draws_anew():
    plan = draw_plan("night", KEYS, 20, 0, 32)
    first, again, once_more = plan.sample(4), plan.again(4, 1, "town_003"), plan.again(4, 2, "town_003")
    assert (again.key, again.source_key) == (first.key, "town_003")
    assert len({first.variant, again.variant, once_more.variant}) == 3


def test_weights_decide_how_often_a_scene_comes_up():
    weights = np.array([0, 1, 2, 3, 4, 0, 0, 0, 0, 10.0])
    counts = Counter(spec.source_key for spec in specs(draw_plan("night", KEYS, 1000, 5, 100, weights=weights)))
    expected = weights / weights.sum() * 1000
    assert all(abs(counts[key] - n) <= 1 for key, n in zip(KEYS, expected, strict=True))


@pytest.mark.parametrize("weights", [np.zeros(10), np.full(10, np.nan), -np.ones(10)])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(ValueError, match=r"^weights of scenes must be finite, not negative, and not all zero$"):
        draw_plan("night", KEYS, 10, 0, 4, weights=weights)


def test_one_scene_can_fill_a_plan_and_is_its_own_spare():
    plan = draw_plan("night", ["only"], 5, 0, 4)
    assert [spec.variant for spec in specs(plan)] == [0, 1, 2, 3, 4]
    assert plan.spare(0, 1).source_key == "only"


def test_randomness_belongs_to_seed_scene_and_variant_alone():
    def words(*what):
        return sample_rng(*what).integers(0, 2**63, 4).tolist()

    assert words(0, "a", 0) == words(0, "a", 0)
    streams = [words(0, "a", 0), words(1, "a", 0), words(0, "b", 0), words(0, "a", 1), words(11, "a", 1)]
    assert len({tuple(stream) for stream in streams}) == len(streams)


def test_sample_randomness_is_pcg64_seeded_with_a_sha256():
    seed = int.from_bytes(hashlib.sha256(b"7/2/town_001").digest()[:16], "little")
    assert sample_rng(7, "town_001", 2).random() == np.random.Generator(np.random.PCG64(seed)).random()


def test_a_long_name_leaves_room_for_the_suffix_in_a_tar():
    assert len(flat_name("x" * 500)) == 60
    assert flat_name("") == "sample"


@pytest.mark.parametrize("weighted", [False, True])
def test_a_million_samples_are_planned_in_seconds_and_megabytes(weighted):
    keys = [f"aachen_{i:06d}_000019" for i in range(3000)]
    tracemalloc.start()
    started = time.process_time()
    plan = draw_plan("night", keys, 1_000_000, 0, 256, weights=np.ones(3000) if weighted else None)
    total = sum(len(shard.slots) for shard in plan.shards())
    plan.digest()
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 1_000_000
    assert seconds < 20
    assert peak < 200e6
    assert len(pickle.dumps(plan)) < 20e6


@pytest.mark.parametrize("weights", [None, np.linspace(1, 4, 10)])
def test_variants_of_a_scene_lie_together_where_that_is_asked(weights):
    apart = specs(draw_plan("night", KEYS, 37, 3, 8, weights=weights))
    together = specs(draw_plan("night", KEYS, 37, 3, 8, weights=weights, variants_together=True))
    assert {spec[1:] for spec in together} == {spec[1:] for spec in apart}
    scenes = [scene for scene, _ in groupby(together, key=lambda spec: spec.source_key)]
    assert scenes == list(dict.fromkeys(spec.source_key for spec in apart))
    for _, variants in groupby(together, key=lambda spec: spec.source_key):
        numbers = [spec.variant for spec in variants]
        assert numbers == sorted(numbers)
