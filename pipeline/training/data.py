"""Pairs for training: which pair comes at which step is fixed by the seed alone, so a run resumes at any step."""

import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.sources.selection import attributes_of, keys_with_images

_BATCHES_AHEAD = 4
Indices = npt.NDArray[np.int64]

_SHUFFLE, _VIEW = 0, 1  # what a stream of random numbers is for


class TrainingPair(NamedTuple):
    """One pair as the network sees it."""

    labels: npt.NDArray[np.uint16]  # channels
    instances: npt.NDArray[np.int32]
    image: Image


@dataclass(frozen=True)
class Views:
    """How a training image becomes what the network sees."""

    resolution: Resolution
    load: Resolution | None = None  # read at this size and cut `resolution` out at random; None: read at `resolution`
    native: bool = False  # cut out of the image's own size
    flip: bool = True


@dataclass(frozen=True)
class Share:
    """Which part of each batch this worker trains on."""

    batch_size: int
    rank: int = 0
    world_size: int = 1


class Order:
    """The pair at every position of the training: epochs, each a shuffle of the whole source.

    `groups` are the indices of pairs that are alike, usually all of them one group. Every group has as many places in
    an epoch as the largest: its pairs come several times, none of them more than once oftener than another.
    `attempt` counts how often training stepped back: another attempt meets other pairs, not the same fatal one.
    """

    def __init__(self, groups: Sequence[Sequence[int]], seed: int, attempt: int = 0) -> None:
        self._groups = [np.asarray(group, np.int64) for group in groups]
        self._group_length = max(map(len, self._groups))
        self._seed, self._attempt = seed, attempt
        self._epoch, self._shuffled = -1, np.empty(0, np.int64)

    def pair_at(self, position: int) -> int:
        """Index of the pair."""
        epoch, place = divmod(position, self._group_length * len(self._groups))
        if epoch != self._epoch:
            rng = np.random.default_rng([self._seed, self._attempt, _SHUFFLE, epoch])
            places = np.concatenate([self._drawn(group, rng) for group in self._groups])
            self._epoch, self._shuffled = epoch, rng.permutation(places)
        return int(self._shuffled[place])

    def view_rng(self, position: int) -> np.random.Generator:
        """What flips and cuts the pair at this position."""
        return np.random.default_rng([self._seed, self._attempt, _VIEW, position])

    def _drawn(self, group: Indices, rng: np.random.Generator) -> Indices:
        """The group as often as it fits in its places, and some of it for those that are left."""
        times, left = divmod(self._group_length, len(group))
        whole = np.tile(group, times)
        return np.concatenate([whole, rng.choice(group, left, replace=False)]) if left else whole


class PairReader:
    """Reads pairs of a source as views, keeping decoded ones within a budget of memory."""

    def __init__(self, source: Source, views: Views, cache_bytes: int, paired: bool = True) -> None:
        self._source, self._views, self._paired = source, views, paired
        self._keys = keys_with_images(source)
        self._cache: OrderedDict[str, TrainingPair] = OrderedDict()
        self._cached_bytes, self._most_bytes = 0, cache_bytes
        self._lock = Lock()
        self._size = None if views.native else views.load or views.resolution

    def __len__(self) -> int:
        return len(self._keys)

    def alike(self, attribute: str | None) -> list[list[int]]:
        """Indices of the pairs by their value of an attribute, where they have any; without one, all are alike."""
        if attribute is None:
            return [list(range(len(self)))]
        groups: dict[str | None, list[int]] = {}
        for index, attributes in enumerate(attributes_of(self._source, self._keys).values()):
            groups.setdefault(attributes.get(attribute), []).append(index)
        return list(groups.values())

    def view(self, index: int, rng: np.random.Generator) -> TrainingPair:
        """The pair, cut and flipped; unpaired training gets the image of another scene."""
        pair = self.pair(index)
        if not self._paired:
            other = self.pair(int(rng.integers(len(self))))
            return TrainingPair(*_seen(pair, self._views, rng)[:2], _seen(other, self._views, rng).image)
        return _seen(pair, self._views, rng)

    def pair(self, index: int) -> TrainingPair:
        """The pair at its loading size; SourceError names what is wrong with it."""
        key = self._keys[index]
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        pair = self._read(key)
        self._remember(key, pair)
        return pair

    def _read(self, key: str) -> TrainingPair:
        scene, image = self._source.read(key, self._size)
        if image is None:
            raise SourceError(f"{key}: the source has no image for this label map; training needs both")
        if image.shape[:2] != scene.labels.shape:
            raise SourceError(
                f"{key}: image is {image.shape[1]}x{image.shape[0]}, label map {scene.width}x{scene.height}"
            )
        if self._views.native and (
            scene.width < self._views.resolution.width or scene.height < self._views.resolution.height
        ):
            raise SourceError(
                f"{key}: {scene.width}x{scene.height} is smaller than the {self._views.resolution} to cut out of it"
            )
        labels = scene.catalog.channel_of[scene.labels]
        instances = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
        return TrainingPair(labels, instances, image)

    def _remember(self, key: str, pair: TrainingPair) -> None:
        size = _bytes(pair)
        with self._lock:
            if key in self._cache or size > self._most_bytes:
                return
            self._cache[key] = pair
            self._cached_bytes += size
            while self._cached_bytes > self._most_bytes:
                _, oldest = self._cache.popitem(last=False)
                self._cached_bytes -= _bytes(oldest)


class BatchStream:
    """The batches of one worker from a step on, read ahead in threads; measures how long training waited for them."""

    def __init__(self, reader: PairReader, order: Order, share: Share, threads: int) -> None:
        self._reader, self._order, self._share = reader, order, share
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pairs")
        self.waited_s = 0.0

    def batches(self, first_step: int, last_step: int) -> Iterator[list[TrainingPair]]:
        """The batch of every step in turn."""
        ahead: deque[list[Future[TrainingPair]]] = deque()
        for step in range(first_step, last_step):
            while len(ahead) < _BATCHES_AHEAD and step + len(ahead) < last_step:
                ahead.append(self._submit(step + len(ahead)))
            started = time.monotonic()
            batch = [future.result() for future in ahead.popleft()]
            self.waited_s += time.monotonic() - started
            yield batch

    def close(self) -> None:
        """Stop reading ahead."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, step: int) -> list[Future[TrainingPair]]:
        share = self._share
        first = (step * share.world_size + share.rank) * share.batch_size
        return [
            self._pool.submit(self._reader.view, self._order.pair_at(p), self._order.view_rng(p))
            for p in range(first, first + share.batch_size)
        ]


def _seen(pair: TrainingPair, views: Views, rng: np.random.Generator) -> TrainingPair:
    """What the network sees of a pair: a cut at random where it is larger, mirrored every other time."""
    height, width = pair.labels.shape
    top = int(rng.integers(height - views.resolution.height + 1))
    left = int(rng.integers(width - views.resolution.width + 1))
    rows, columns = slice(top, top + views.resolution.height), slice(left, left + views.resolution.width)
    step = -1 if views.flip and rng.random() < 0.5 else 1
    return TrainingPair(
        pair.labels[rows, columns][:, ::step],
        pair.instances[rows, columns][:, ::step],
        pair.image[rows, columns][:, ::step],
    )


def _bytes(pair: TrainingPair) -> int:
    return sum(part.nbytes for part in pair)
