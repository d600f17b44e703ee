"""Which source maps are drawn, and which objects added, more often, so that rare classes near the shares asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.edits import AnyEdit, Edit, every_edit
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.counts import as_range
from label_editing.edits.one_of import OneOf
from pipeline.class_counts import Counted, Weights
from pipeline.errors import InputError
from pipeline.recipe import Balance

MOST_OF_MEAN = 20.0  # no scene is drawn more than so many times as often as the average one
_RIDGE = 1e-6  # keeps the solution finite where the target is out of reach
_STEPS = 100
_LEAST_NEED = 0.05  # of the weight of the class that lacks most


@dataclass(frozen=True)
class ClassShare:
    """How near the plan comes to the share of one class, before any edit."""

    name: str
    target: float
    source: float  # when every scene is drawn alike
    planned: float  # in the scenes of the plan
    reachable: float  # by drawing scenes alone, as often as the most of them may be drawn

    def as_text(self) -> str:
        """For people."""
        short = "" if self.planned >= 0.95 * self.target else "; edits have to add the rest"
        return (
            f"{self.name}: target {self.target:.2%}, source {self.source:.2%}, drawn {self.planned:.2%}"
            f" (at most {self.reachable:.2%} by drawing scenes{short})"
        )


@dataclass(frozen=True)
class Balancing:
    """What was counted in the scenes of a source, and what follows from it for a balance."""

    balance: Balance
    classes: tuple[int, ...]
    counted: Counted
    most_of_mean: float = MOST_OF_MEAN

    @property
    def counts(self) -> Weights:
        """What the shares are shares of."""
        return self.counted.pixels if self.balance.by == "pixels" else self.counted.instances

    def weights(self) -> Weights:
        """A weight for every scene of the source; classes that no scene has are left to the edits."""
        targets = dict(zip(self.classes, self.balance.target.values(), strict=True))
        there = [c for c in self.classes if self.counts[:, c].any()]
        totals = self.counts.sum(axis=1)
        if not there:
            return np.ones(len(totals))
        return tilted_weights(self.counts[:, there], totals, [targets[c] for c in there], self.most_of_mean)

    def shares(self, choices: npt.NDArray[np.int32]) -> tuple[ClassShare, ...]:
        """Where a plan that draws these scenes stands, class by class."""
        drawn = np.bincount(choices, minlength=len(self.counts)).astype(np.float64)
        return tuple(
            ClassShare(name, target, self._share(c, np.ones(len(drawn))), self._share(c, drawn), self._most(c))
            for c, (name, target) in zip(self.classes, self.balance.target.items(), strict=True)
        )

    def objects_lacking(self, shares: Sequence[ClassShare]) -> dict[str, float]:
        """How many objects of each class a sample lacks on average; 0 where the plan reaches the share."""
        per_scene = self.counts.sum(axis=1).mean()
        lacking = {}
        for c, share in zip(self.classes, shares, strict=True):
            # An object of a class that no scene has is taken to be as large as one of the others asked for.
            like = c if self.counts[:, c].any() else list(self.classes)
            objects, amount = self.counted.instances[:, like].sum(), self.counts[:, like].sum()
            missing = max(0.0, share.target - share.planned) * per_scene
            lacking[share.name] = float(missing * objects / amount) if amount else missing
        return lacking

    def _share(self, class_id: int, weights: Weights) -> float:
        total = float(weights @ self.counts.sum(axis=1))
        return float(weights @ self.counts[:, class_id]) / total if total else 0.0

    def _most(self, class_id: int) -> float:
        """The share in the scenes richest in the class, each drawn as often as any may be."""
        totals = self.counts.sum(axis=1)
        richness = self.counts[:, class_id] / np.maximum(totals, 1)
        kept = max(1, int(np.ceil(len(totals) / self.most_of_mean)))
        best = np.argsort(-richness, kind="stable")[:kept]
        return float(self.counts[best, class_id].sum() / max(totals[best].sum(), 1))


def balancing_of(
    balance: Balance,
    catalog: Catalog,
    counted: Counted,
    edits: Sequence[Edit] = (),
    most_of_mean: float = MOST_OF_MEAN,
) -> Balancing:
    """What a balance asks of scenes. InputError for a class that neither one of them has nor one of the edits adds."""
    classes = tuple(catalog.named(name).id for name in balance.target)
    balancing = Balancing(balance, classes, counted, most_of_mean)
    found = balancing.counts[:, classes].sum(axis=0)
    added = {edit.class_name for edit in every_edit(edits) if isinstance(edit, AddInstances)}
    lacking = [name for name, amount in zip(balance.target, found, strict=True) if not amount and name not in added]
    if lacking:
        raise InputError(f"balance.target: no scene of the source has {', '.join(lacking)}")
    return balancing


def weighted_by_need(edits: Sequence[AnyEdit], lacking: Mapping[str, float]) -> tuple[AnyEdit, ...]:
    """The edits, each one_of that only adds objects drawing the classes that are still lacking more often.

    Only where it has no weights of its own and adds a class that the balance names. A class that lacks nothing keeps a
    small weight, for the variety.
    """
    return tuple(_weighted_by_need(edit, lacking) for edit in edits)


def _weighted_by_need(edit: AnyEdit, lacking: Mapping[str, float]) -> AnyEdit:
    if not isinstance(edit, OneOf) or edit.weights is not None:
        return edit
    added = [child for child in edit.edits if isinstance(child, AddInstances)]
    if len(added) < len(edit.edits) or not any(lacking.get(child.class_name, 0.0) > 0 for child in added):
        return edit
    needs = [lacking.get(child.class_name, 0.0) / (sum(as_range(child.count)) / 2 or 1) for child in added]
    weights = tuple(round(max(need, _LEAST_NEED * max(needs)), 6) for need in needs)
    return edit.model_copy(update={"weights": weights})


def tilted_weights(
    amounts: Weights, totals: Weights, target: Sequence[float], most_of_mean: float = MOST_OF_MEAN
) -> Weights:
    """The weights nearest to uniform (least relative entropy) under which each class has its target share.

    With weights w_i the share of class c is sum_i w_i n_ic / sum_i w_i N_i, so the target says sum_i w_i g_ic = 0 with
    g_ic = n_ic - t_c N_i. The solution is w_i ~ exp(g_i . lambda); lambda minimises the convex log sum exp, by Newton.
    """
    excess: Weights = amounts - np.asarray(target, np.float64) * totals[:, None]
    excess /= np.maximum(excess.std(axis=0), np.finfo(np.float64).tiny)  # the ridge means the same for every class
    tilt = np.zeros(amounts.shape[1])
    for _ in range(_STEPS):
        weights = _softmax(excess @ tilt)
        mean = weights @ excess
        slope = mean + _RIDGE * tilt
        centred = excess - mean
        curvature = (weights[:, None] * centred).T @ centred + _RIDGE * np.eye(len(tilt))
        step = np.linalg.solve(curvature, slope).astype(np.float64)
        tilt = tilt - _shorten(step, excess, tilt, slope)
        if np.abs(slope).max() < 1e-9:
            break
    return _bounded(excess @ tilt, most_of_mean)


def _shorten(step: Weights, excess: Weights, tilt: Weights, slope: Weights) -> Weights:
    """The step, halved until it goes down: Newton overshoots where the weights are far from uniform."""
    here = _potential(excess, tilt)
    for _ in range(30):
        if _potential(excess, tilt - step) <= here - 1e-4 * float(slope @ step):
            return step
        step = step / 2
    return step


def _potential(excess: Weights, tilt: Weights) -> float:
    scores = excess @ tilt
    return float(scores.max() + np.log(np.exp(scores - scores.max()).sum()) + _RIDGE / 2 * tilt @ tilt)


def _softmax(scores: Weights) -> Weights:
    weights: Weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def _bounded(scores: Weights, most_of_mean: float) -> Weights:
    """The weights, tilted less where the largest would be too many times the mean."""
    most = most_of_mean / len(scores)
    if _softmax(scores).max() <= most or most >= 1:
        return _softmax(scores)
    low, high = 0.0, 1.0  # the largest weight grows with the tilt
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _softmax(middle * scores).max() <= most else (low, middle)
    return _softmax(low * scores)
