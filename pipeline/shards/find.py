"""Finding one sample of a data set by its key."""

from label_editing.names import nearest
from pipeline.errors import InputError
from pipeline.parquet import read_parquet
from pipeline.shards import layout
from pipeline.shards.tar import read_samples
from pipeline.storage import Store


def find_sample(store: Store, key: str) -> tuple[str, dict[str, bytes]]:
    """The shard that holds the sample, and its fields. InputError names the nearest key."""

    table = read_parquet(store.read(layout.MANIFEST), columns=["shard", "key"])
    shards = dict(zip(table["key"].to_pylist(), table["shard"].to_pylist(), strict=True))
    if key not in shards:
        guess = nearest(key, shards)
        raise InputError(f"{store.url}: no sample {key!r}{f'; did you mean {guess!r}?' if guess else ''}")
    if not layout.is_shard_name(shards[key]):
        raise InputError(f"{store.place(layout.MANIFEST)}: {shards[key][:80]!r} is not the name of a shard")
    for found, fields in read_samples(store.read(layout.shard_path(shards[key]))):
        if found == key:
            return shards[key], fields
    raise InputError(f"{store.place(layout.shard_path(shards[key]))}: does not hold {key}; run: synthgen verify")
