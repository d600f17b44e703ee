"""Reading a data set into a PyTorch trainer: split by rank and worker, the same order for the same seed and epoch.

pairs = open_dataset("s3://team/synthetic/night_cars", seed=7)
for epoch in range(10):
    pairs.set_epoch(epoch)
    for batch in DataLoader(pairs, batch_size=8, num_workers=4):
        batch["image"], batch["labels"], batch["instances"]
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from pipeline.errors import InputError, StorageError
from pipeline.shards import layout
from pipeline.shards.check import read_index
from pipeline.shards.commit import sha256_of
from pipeline.shards.pixels import decode_image, decode_instances, decode_labels
from pipeline.shards.sample import INSTANCES_FIELD, LABELS_FIELD, RECORD_FIELD, SEEN_FIELD, image_field
from pipeline.shards.tar import read_samples
from pipeline.storage import Store

Sample = dict[str, Any]


class ShardEntry(NamedTuple):
    """One shard to read."""

    name: str
    samples: int
    sha256: str


class ShardDataset(IterableDataset[Sample]):
    """Samples of a data set: key, image (RGB), labels, instances (int32, intact above 255) and the record's JSON.

    Shards are dealt to ranks and workers in an order drawn from seed and epoch; within a shard, whose scenes the plan
    has mixed, samples are shuffled too. With several ranks every worker gives equally many samples, so that no rank
    waits for another at the end of an epoch; the few left over differ from epoch to epoch.
    """

    def __init__(
        self,
        store: Store,
        shards: Sequence[ShardEntry],
        seed: int,
        shuffle: bool,
        rank: int,
        world_size: int,
        transform: Callable[[Sample], Sample] | None,
        check: bool,
        seen: bool = False,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank {rank} of {world_size}; expected 0 to {world_size - 1}")
        self._store, self._shards, self._seed, self._shuffle = store, tuple(shards), seed, shuffle
        self._rank, self._world_size = rank, world_size
        self._transform, self._check, self._seen = transform, check, seen
        # Epoch, batches done, batch size; shared, so that workers that outlive an epoch see the next one.
        self._position = torch.zeros(3, dtype=torch.int64)
        self._position.share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """Start the next iteration at the beginning of this epoch."""
        self.start_at(epoch, 0, 1)

    def start_at(self, epoch: int, batches: int, batch_size: int) -> None:
        """Start the next iteration where a loader with this batch size, and as many workers, had given `batches`."""
        self._position.copy_(torch.tensor([epoch, batches, batch_size]))

    def __iter__(self) -> Iterator[Sample]:
        epoch, batches, batch_size = self._position.tolist()
        worker = get_worker_info()
        workers, worker_id = (1, 0) if worker is None else (worker.num_workers, worker.id)
        streams = self._streams(epoch, workers)
        role, skip = roles_after(batches, batch_size, [quota for _, quota in streams])[worker_id]
        return self._stream(epoch, *streams[role], skip)

    def _streams(self, epoch: int, workers: int) -> list[tuple[list[ShardEntry], int]]:
        """For each worker of this rank, its shards and how many samples of them it gives."""
        count = self._world_size * workers
        order = self._order(epoch, "shards", len(self._shards))
        dealt = [[self._shards[i] for i in order[k::count]] for k in range(count)]
        sizes = [sum(shard.samples for shard in some) for some in dealt]
        if self._world_size > 1:
            if not min(sizes):
                raise InputError(
                    f"{self._store.url}: {len(self._shards)} shards for {count} workers over all ranks: some get none; "
                    "use fewer workers, or make the data set with a smaller output.samples_per_shard"
                )
            sizes = [min(sizes)] * count
        mine = slice(self._rank * workers, (self._rank + 1) * workers)
        return list(zip(dealt[mine], sizes[mine], strict=True))

    def _stream(self, epoch: int, shards: list[ShardEntry], quota: int, skip: int) -> Iterator[Sample]:
        given = 0
        for shard in shards:
            wanted = min(shard.samples, quota - given)
            if given + wanted > skip:
                yield from self._samples(epoch, shard, max(0, skip - given), wanted)
            given += wanted

    def _samples(self, epoch: int, shard: ShardEntry, first: int, end: int) -> Iterator[Sample]:
        data = self._store.read(layout.shard_path(shard.name))
        if self._check and sha256_of(data) != shard.sha256:
            raise StorageError(f"{self._store.place(layout.shard_path(shard.name))}: changed since it was written")
        samples = list(read_samples(data))
        for i in self._order(epoch, shard.name, len(samples))[first:end]:
            sample = self._decoded(*samples[i])
            yield sample if self._transform is None else self._transform(sample)

    def _decoded(self, key: str, fields: dict[str, bytes]) -> Sample:
        if self._seen and SEEN_FIELD not in fields:
            raise InputError(
                f"{self._store.url}: sample {key} has no {SEEN_FIELD}; a recipe with quality.max_surprise makes it"
            )
        labels = decode_labels(fields[SEEN_FIELD if self._seen else LABELS_FIELD])
        return {
            "key": key,
            "image": decode_image(fields[image_field(fields)]),
            "labels": labels if labels.dtype == np.uint8 else labels.astype(np.int32),  # torch collates no uint16
            "instances": decode_instances(fields[INSTANCES_FIELD]),
            "record": fields[RECORD_FIELD].decode(),
        }

    def _order(self, epoch: int, what: str, count: int) -> list[int]:
        if not self._shuffle:
            return list(range(count))
        digest = hashlib.sha256(f"{self._seed}/{epoch}/{what}".encode()).digest()
        words = np.random.PCG64(int.from_bytes(digest[:16], "little")).random_raw(count)
        return [int(i) for i in np.argsort(words, kind="stable")]


def open_dataset(
    root: str,
    *,
    seed: int = 0,
    shuffle: bool = True,
    rank: int | None = None,
    world_size: int | None = None,
    transform: Callable[[Sample], Sample] | None = None,
    check: bool = False,
    seen: bool = False,
) -> ShardDataset:
    """A data set at a folder or URL, for `torch.utils.data.DataLoader`.

    Rank and world size come from torch.distributed when it is initialised. `check` compares each shard with its
    checksum as it is read. `seen` gives as labels only those that the images show (`seen.png`), and void elsewhere.
    """
    store = Store(root)
    index = read_index(store)
    shards = [ShardEntry(name, entry["samples"], entry["sha256"]) for name, entry in index.shards.items()]
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    if rank is None:
        rank = torch.distributed.get_rank() if distributed else 0
    if world_size is None:
        world_size = torch.distributed.get_world_size() if distributed else 1
    return ShardDataset(store, shards, seed, shuffle, rank, world_size, transform, check, seen)


def roles_after(batches: int, batch_size: int, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """For each worker of a new loader: the worker of the old one that it goes on for, and what that one had given.

    A loader takes a batch from each of its workers in turn, past those that have nothing left.
    """
    turns = deque(range(len(sizes)))
    given, finished = [0] * len(sizes), []
    while batches and turns:
        worker = turns.popleft()
        if given[worker] >= sizes[worker]:
            finished.append(worker)
            continue
        given[worker] = min(given[worker] + batch_size, sizes[worker])
        turns.append(worker)
        batches -= 1
    return [(worker, given[worker]) for worker in (*turns, *finished)]
