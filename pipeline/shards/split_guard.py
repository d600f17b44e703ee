"""Whether every scene of a data set is of the split that its recipe names: what the samples say, against the source."""

import json
from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import InputError
from pipeline.shards.check import ShardCheck
from pipeline.sources import AnySource, SourceConfig


def recorded_source(checks: Sequence[ShardCheck]) -> SourceConfig:
    """The source that every sample says it was made from. InputError where they differ or it cannot be read."""
    said = sorted({sample.source for check in checks for sample in check.samples})
    if len(said) != 1:
        raise InputError(f"the samples name {len(said)} sources; expected one")
    adapter: TypeAdapter[SourceConfig] = TypeAdapter(AnySource)
    try:
        return adapter.validate_python(json.loads(said[0]))
    except ValidationError as error:
        raise InputError(f"the source that the samples name: {error.errors()[0]['msg']}") from None


def split_problems(config: SourceConfig, checks: Sequence[ShardCheck]) -> Iterator[str]:
    """Every sample whose scene the source does not list in the split of the recipe."""
    listed = set(config.open().keys())
    for check in checks:
        for sample in check.samples:
            if sample.source_key not in listed:
                yield (
                    f"{check.shard}: sample {sample.key}: made from scene {sample.source_key!r}, "
                    f"which is not in split {config.split} of its source"
                )
