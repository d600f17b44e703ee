"""What a downstream network is trained on: the arms of the comparison, each a way to draw one pair."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from label_editing.catalog import Catalog
from pipeline.errors import InputError
from pipeline.evaluation.baselines import copy_paste, photometric
from pipeline.evaluation.networks import Batch
from pipeline.training.data import PairReader, TrainingPair

REAL = "real"
MIXED = "real + synthetic"
SYNTHETIC = "synthetic"
COPY_PASTE = "real + copy-paste"
PHOTOMETRIC = "real + photometric"
MIXED_COPY_PASTE = "real + synthetic + copy-paste"
_CHANGES = 1  # beside the seed: a stream of its own


class Chance(NamedTuple):
    """What an arm draws with: the real pair that comes next is the same in every arm, whatever an arm changes in it."""

    pairs: np.random.Generator
    changes: np.random.Generator


Draw = Callable[[Chance], TrainingPair]


@dataclass(frozen=True)
class Materials:
    """What arms draw from."""

    real: PairReader
    synthetic: PairReader | None
    catalog: Catalog
    share: float  # of synthetic, pasted or photometric pairs in the arms that mix
    last_share: float | None = None  # at the end of a training, where it changes evenly up to there

    def at(self, progress: float) -> "Materials":
        """The same with the share of this moment of a training, which goes from 0 to 1."""
        if self.last_share is None:
            return self
        return replace(self, share=self.share + (self.last_share - self.share) * progress)


class Arm(NamedTuple):
    """One row of the table of arms."""

    what: str
    draw: Callable[[Materials], Draw]
    needs_synthetic: bool = False


def arm_named(name: str, materials: Materials) -> Draw:
    """How this arm draws; InputError where it needs a synthetic source and there is none."""
    arm = ARMS[name]
    if materials.synthetic is None and arm.needs_synthetic:
        raise InputError(f"the arm {name!r} needs a synthetic data set; give --synthetic")
    return arm.draw(materials)


def arm_batches(arm: str, materials: Materials, steps: int, batch_size: int, seed: int) -> Iterator[Batch]:
    """The batches of one training; every arm meets the same real pairs, but for those it changes or replaces."""
    chance = Chance(np.random.default_rng(seed), np.random.default_rng([seed, _CHANGES]))
    for step in range(steps):
        draw = arm_named(arm, materials.at(step / max(1, steps - 1)))
        pairs = [draw(chance) for _ in range(batch_size)]
        yield np.stack([pair.image for pair in pairs]), np.stack([pair.labels for pair in pairs])


def _any(reader: PairReader, rng: np.random.Generator) -> TrainingPair:
    return reader.view(int(rng.integers(len(reader))), rng)


def _real(materials: Materials) -> Draw:
    return lambda chance: _any(materials.real, chance.pairs)


def _synthetic(materials: Materials) -> Draw:
    return lambda chance: _any(_given(materials), chance.pairs)


def _mixed(materials: Materials) -> Draw:
    def draw(chance: Chance) -> TrainingPair:
        pair = _any(materials.real, chance.pairs)
        return _any(_given(materials), chance.changes) if chance.changes.random() < materials.share else pair

    return draw


def _copy_paste(materials: Materials) -> Draw:
    return _pasted_into(_real(materials), materials)


def _mixed_copy_paste(materials: Materials) -> Draw:
    return _pasted_into(_mixed(materials), materials)


def _pasted_into(target: Draw, materials: Materials) -> Draw:
    """A share of what `target` draws gets objects of real pairs."""

    def draw(chance: Chance) -> TrainingPair:
        pair, rng = target(chance), chance.changes
        if rng.random() >= materials.share:
            return pair
        return copy_paste(pair, _any(materials.real, rng), materials.catalog, rng)

    return draw


def _photometric(materials: Materials) -> Draw:
    def draw(chance: Chance) -> TrainingPair:
        pair, rng = _any(materials.real, chance.pairs), chance.changes
        return pair._replace(image=photometric(pair.image, rng)) if rng.random() < materials.share else pair

    return draw


def _given(materials: Materials) -> PairReader:
    assert materials.synthetic is not None  # arm_named has checked
    return materials.synthetic


ARMS: Mapping[str, Arm] = {
    REAL: Arm("the real pairs alone", _real),
    SYNTHETIC: Arm("the synthetic pairs alone", _synthetic, needs_synthetic=True),
    MIXED: Arm("real pairs, a share of them replaced by synthetic ones", _mixed, needs_synthetic=True),
    COPY_PASTE: Arm("real pairs, a share of them with objects copied from other real pairs", _copy_paste),
    PHOTOMETRIC: Arm("real pairs, a share of them exposed and coloured another way", _photometric),
    MIXED_COPY_PASTE: Arm(
        "real pairs, a share of them replaced by synthetic ones, a share of all with objects of real pairs pasted in",
        _mixed_copy_paste,
        needs_synthetic=True,
    ),
}
