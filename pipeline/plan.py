"""The plan: which scene, which variant, in which shard. Fixed before work starts, the same on every machine.

A plan of a million samples is two integer arrays; samples are made from them as they are needed.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SPARES_A_SLOT = 64  # scenes tried in the place of one that fails before the slot is given up

_FIRST_SPARE_VARIANT = 1_000_000_000
_MOST_SAMPLES = 10**8  # keys hold eight digits
_LONGEST_NAME = 60  # of the 100 characters of a USTAR member


class SampleSpec(NamedTuple):
    """One sample to make. Its key belongs to the slot and stays when another scene has to take its place."""

    key: str
    source_key: str
    variant: int
    seed: int


class Shard(NamedTuple):
    """One shard of a plan: its id and the slots it holds."""

    id: str
    slots: range


@dataclass(frozen=True)
class Plan:
    """Slots 0..num_samples-1, cut into shards in order. Pickles small."""

    name: str
    split: str
    seed: int
    samples_per_shard: int
    source_keys: Sequence[str]
    choices: npt.NDArray[np.int32] = field(repr=False)  # index of the source key of each slot
    variants: npt.NDArray[np.int32] = field(repr=False)
    weights: npt.NDArray[np.float64] | None = field(default=None, repr=False)

    @property
    def num_samples(self) -> int:
        return len(self.choices)

    @property
    def num_shards(self) -> int:
        return -(-self.num_samples // self.samples_per_shard)

    def shard(self, index: int) -> Shard:
        """The shard of this number."""
        start = index * self.samples_per_shard
        return Shard(f"{self.split}-{index:06d}", range(start, min(start + self.samples_per_shard, self.num_samples)))

    def shard_of(self, slot: int) -> str:
        """The id of the shard that holds this slot."""
        return self.shard(slot // self.samples_per_shard).id

    def shards(self) -> Iterator[Shard]:
        """Every shard, in order."""
        return (self.shard(index) for index in range(self.num_shards))

    def sample(self, slot: int) -> SampleSpec:
        """What the slot holds when nothing fails."""
        return self._spec(slot, int(self.choices[slot]), int(self.variants[slot]))

    def spare(self, slot: int, attempt: int) -> SampleSpec:
        """Another scene for a slot whose scene failed `attempt` times (from 1): the same one on every run."""
        point = _raw(1, self.seed, "spare", slot, attempt)[0] / 2.0**64
        choice = _pick(point, len(self.source_keys), self.weights)
        if choice == self.choices[slot]:
            choice = (choice + 1) % len(self.source_keys)
        return self._spec(slot, choice, self._spare_variant(slot, attempt))

    def again(self, slot: int, attempt: int, source_key: str) -> SampleSpec:
        """A scene of the slot with other draws, for a sample that was rejected (from 1)."""
        return SampleSpec(self._key(slot), source_key, self._spare_variant(slot, attempt), self.seed)

    def digest(self) -> str:
        """A hash over every slot."""
        said = hashlib.sha256(f"{self.name}/{self.split}/{self.seed}/{self.samples_per_shard}/".encode())
        said.update(self.choices.astype("<i4").tobytes())
        said.update(self.variants.astype("<i4").tobytes())
        return said.hexdigest()

    def _spec(self, slot: int, choice: int, variant: int) -> SampleSpec:
        return SampleSpec(self._key(slot), self.source_keys[choice], variant, self.seed)

    def _key(self, slot: int) -> str:
        return f"{self.name}-{slot:08d}"

    def _spare_variant(self, slot: int, attempt: int) -> int:
        if not 1 <= attempt < 1000:
            raise ValueError(f"attempt {attempt} of a slot; expected 1 to 999")
        # Slot and attempt are in it, so no two samples of a data set share scene and variant.
        return _FIRST_SPARE_VARIANT + slot * 1000 + attempt


def draw_plan(
    name: str,
    source_keys: Sequence[str],
    num_samples: int,
    seed: int,
    samples_per_shard: int,
    split: str = "train",
    weights: npt.NDArray[np.float64] | None = None,
    variants_together: bool = False,
) -> Plan:
    """Spread samples over the scenes of a source: evenly in shuffled rounds, or in proportion to `weights`.

    With `variants_together` all samples of a scene follow its first, for whoever makes them shares work between them.
    """
    if not source_keys:
        raise ValueError("a plan needs at least one scene")
    if not 1 <= num_samples <= _MOST_SAMPLES:
        raise ValueError(f"{num_samples} samples; expected 1 to {_MOST_SAMPLES}")
    if samples_per_shard < 1:
        raise ValueError(f"{samples_per_shard} samples a shard; expected at least 1")
    if weights is None:
        choices, variants = _rounds(len(source_keys), num_samples, seed)
    else:
        weights = _normalised(weights, len(source_keys))
        choices, variants = _weighted(weights, num_samples, seed)
    if variants_together:
        choices, variants = _by_scene(choices, variants)
    return Plan(flat_name(name), split, seed, samples_per_shard, source_keys, choices, variants, weights)


def sample_rng(seed: int, source_key: str, variant: int) -> np.random.Generator:
    """The randomness of one sample: from what it is, never from who makes it, when, or in which order."""
    digest = hashlib.sha256(f"{seed}/{variant}/{source_key}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def flat_name(name: str) -> str:
    """A recipe's name as sample keys carry it: [A-Za-z0-9_-]."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:_LONGEST_NAME] or "sample"


def _raw(count: int, *said: object) -> npt.NDArray[np.uint64]:
    """Random 64-bit words from what is said. Raw words, because NumPy may change how it shuffles, not these."""
    digest = hashlib.sha256("/".join(map(str, said)).encode()).digest()
    return np.random.PCG64(int.from_bytes(digest[:16], "little")).random_raw(count)


def _rounds(num_keys: int, num_samples: int, seed: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Every scene once, in shuffled order, then every scene again: variant 0, variant 1, ..."""
    num_rounds = -(-num_samples // num_keys)
    words = _raw(num_rounds * num_keys, seed, "rounds").reshape(num_rounds, num_keys)
    choices = np.argsort(words, axis=1, kind="stable").astype(np.int32).ravel()
    variants = np.repeat(np.arange(num_rounds, dtype=np.int32), num_keys)
    return choices[:num_samples], variants[:num_samples]


def _weighted(
    weights: npt.NDArray[np.float64], num_samples: int, seed: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Systematic sampling: a scene of weight w comes up floor or ceil of w * num_samples times; then shuffled."""
    start = _raw(1, seed, "weighted")[0] / 2.0**64
    points = (np.arange(num_samples) + start) / num_samples
    sorted_choices = np.minimum(np.searchsorted(np.cumsum(weights), points, side="right"), len(weights) - 1)
    first_of_run = np.searchsorted(sorted_choices, sorted_choices, side="left")
    variants = np.arange(num_samples) - first_of_run
    order = np.argsort(_raw(num_samples, seed, "order"), kind="stable")
    return sorted_choices[order].astype(np.int32), variants[order].astype(np.int32)


def _by_scene(
    choices: npt.NDArray[np.int32], variants: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The same samples, scenes in the order of their first, each with its variants in turn."""
    _, first, scene = np.unique(choices, return_index=True, return_inverse=True)
    order = np.lexsort((variants, first[scene]))
    return choices[order], variants[order]


def _normalised(weights: npt.NDArray[np.float64], num_keys: int) -> npt.NDArray[np.float64]:
    weights = np.asarray(weights, np.float64)
    if weights.shape != (num_keys,):
        raise ValueError(f"{weights.size} weights for {num_keys} scenes")
    total = weights.sum()
    if not np.isfinite(total) or total <= 0 or (weights < 0).any():
        raise ValueError("weights of scenes must be finite, not negative, and not all zero")
    return weights / total


def _pick(point: float, num_keys: int, weights: npt.NDArray[np.float64] | None) -> int:
    if weights is None:
        return min(int(point * num_keys), num_keys - 1)
    return min(int(np.searchsorted(np.cumsum(weights), point, side="right")), num_keys - 1)
