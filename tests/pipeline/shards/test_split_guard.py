"""A data set made of scenes of another split than its recipe names does not pass."""

import pytest

from pipeline.errors import InputError
from pipeline.shards.check import CheckedSample, ShardCheck, check_shard, read_index
from pipeline.shards.split_guard import recorded_source, split_problems

SOURCE = '{"format": "streetscapes", "split": "train", "scenes": 3}'


def checked(*samples: tuple[str, str]) -> list[ShardCheck]:
    found = tuple(CheckedSample(f"s-{k}", source, key) for k, (source, key) in enumerate(samples))
    return [ShardCheck("train-000000", (), tuple(s.key for s in found), found)]


def test_scenes_of_the_split_pass():
    checks = checked((SOURCE, "streetscapes-train-000000"), (SOURCE, "streetscapes-train-000002"))
    assert list(split_problems(recorded_source(checks), checks)) == []


def test_a_validation_scene_is_named():
    checks = checked((SOURCE, "streetscapes-train-000000"), (SOURCE, "streetscapes-val-000001"))
    assert list(split_problems(recorded_source(checks), checks)) == [
        "train-000000: sample s-1: made from scene 'streetscapes-val-000001', which is not in split train of its source"
    ]


def test_samples_of_two_sources_are_refused():
    checks = checked((SOURCE, "a"), (SOURCE.replace("train", "val"), "b"))
    with pytest.raises(InputError, match=r"^the samples name 2 sources; expected one$"):
        recorded_source(checks)


def test_what_samples_say_is_read_from_the_shards(dataset):
    check = check_shard(dataset, read_index(dataset), "train-000000")
    assert [sample.key for sample in check.samples] == list(check.keys)
    assert check.samples[0] == CheckedSample("toy-00000000", '{"format":"toy"}', "scene_0")
