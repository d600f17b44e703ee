"""Mistakes in a streetscapes block are reported as every mistake is: where, what, and the nearest name."""

import pytest
from pydantic import BaseModel

from pipeline.config_file import parse_config
from pipeline.errors import ConfigError
from pipeline.sources.streetscapes import StreetscapesConfig


class Holder(BaseModel):
    source: StreetscapesConfig


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("split: trian", "1:17: source.split: expected train or val, found 'trian'; did you mean 'train'?"),
        ("scenes: 0", "1:18: source.scenes: expected at least 1, found 0"),
        ("seed: -1", "1:16: source.seed: expected at least 0, found -1"),
        (
            "times_of_day: [nigth]",
            "1:25: source.times_of_day[0]: expected day, dusk or night, found 'nigth'; did you mean 'night'?",
        ),
        (
            "weathers: [clear, fgo]",
            "1:28: source.weathers[1]: expected clear, overcast or fog, found 'fgo'; did you mean 'fog'?",
        ),
        ("times_of_day: []", "1:24: source.times_of_day: is empty; name at least one"),
        ("sede: 3", "1:10: source.sede: unknown key 'sede'; did you mean 'seed'?"),
    ],
)
def test_a_mistake_is_placed_and_explained(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(Holder, f"source: {{{line}}}", "night.yaml")
    assert caught.value.problems == [f"night.yaml:{message}"]


def test_an_empty_block_is_the_default_street() -> None:
    config = parse_config(Holder, "source: {}", "night.yaml").value.source
    assert config == StreetscapesConfig(
        split="train",
        scenes=400,
        seed=0,
        times_of_day=("day", "dusk", "night"),
        weathers=("clear", "overcast", "fog"),
    )
