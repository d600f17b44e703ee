"""Mistakes in a streetscapes block are reported as every mistake is: where, what, and the nearest name."""

import pytest
from pydantic import BaseModel

from pipeline.config_file import parse_config
from pipeline.errors import ConfigError
from pipeline.sources.streetscapes import StreetscapesConfig


class Holder(BaseModel):
    source: StreetscapesConfig


def problems(block: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(Holder, f"source:\n{block}", "night.yaml")
    return caught.value.problems
