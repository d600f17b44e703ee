"""CamVid: sequence and hour stand in the file name; instances are made only where they are asked for."""

import numpy as np
import pytest

from pipeline.errors import SourceError


def test_sequence_and_hour_come_from_the_name(small_source):
    source = small_source("camvid").open()
    assert {key: source.attributes(key)["time_of_day"] for key in source.keys()} == {
        "0001TP_006690": "dusk",
        "0006R0_f00930": "day",
        "0016E5_00390": "day",
    }
    assert source.attributes("0006R0_f00930")["sequence"] == "0006R0"


def test_instances_are_made_only_where_asked_for(small_source):
    config = small_source("camvid")
    assert set(np.unique(config.open().read_scene("0001TP_006690").instances)) == {0, 3, 11, 8000}
    assert config.model_copy(update={"instances": "none"}).open().read_scene("0001TP_006690").instances is None


def test_an_unknown_split_names_those_there_are(small_source):
    config = small_source("camvid").model_copy(update={"split": "test"})
    with pytest.raises(SourceError, match=r"unknown split 'test'; known: train$"):
        config.open()
