"""Which source maps are drawn more often, so that rare classes come nearer to the shares a recipe asks for."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog
from label_editing.instance_table import find_instances
from label_editing.scene import Scene
from pipeline.errors import InputError, SourceError
from pipeline.recipe import Balance
from pipeline.resolution import Resolution
from pipeline.sources.base import Source

Weights = npt.NDArray[np.float64]

_MOST_OF_MEAN = 20.0  # no scene is drawn more than so many times as often as the average one
_RIDGE = 1e-6  # keeps the solution finite where the target is out of reach
_STEPS = 100
_READERS = 8


def balance_weights(balance: Balance, source: Source, resolution: Resolution | None) -> Weights:
    """A weight for every scene of the source. InputError when no scene has a class that is asked for."""
    classes = [source.catalog.named(name).id for name in balance.target]
    counts = count_classes(source, resolution, balance.by)
    lacking = [name for name, found in zip(balance.target, counts[:, classes].sum(axis=0), strict=True) if not found]
    if lacking:
        raise InputError(f"balance.target: no scene of the source has {', '.join(lacking)}")
    return tilted_weights(counts[:, classes], counts.sum(axis=1), list(balance.target.values()))


def count_classes(source: Source, resolution: Resolution | None, by: Literal["pixels", "instances"]) -> Weights:
    """Pixels or instances of every class id (columns) in every scene (rows); a broken scene counts as empty."""

    def count(key: str) -> Weights:
        try:
            return _counts(source.read_scene(key, resolution), source.catalog, by)
        except SourceError:
            return np.zeros(source.catalog.max_id + 1)  # counted as failed where samples are made of it

    with ThreadPoolExecutor(_READERS) as threads:
        return np.array(list(threads.map(count, source.keys())), np.float64)


def tilted_weights(amounts: Weights, totals: Weights, target: Sequence[float]) -> Weights:
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
    return _bounded(excess @ tilt)


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


def _bounded(scores: Weights) -> Weights:
    """The weights, tilted less where the largest would be too many times the mean."""
    most = _MOST_OF_MEAN / len(scores)
    if _softmax(scores).max() <= most or most >= 1:
        return _softmax(scores)
    low, high = 0.0, 1.0  # the largest weight grows with the tilt
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _softmax(middle * scores).max() <= most else (low, middle)
    return _softmax(low * scores)


def _counts(scene: Scene, catalog: Catalog, by: Literal["pixels", "instances"]) -> Weights:
    size = catalog.max_id + 1
    if by == "pixels":
        return np.bincount(scene.labels.ravel(), minlength=size).astype(np.float64)
    found: Mapping[int, object] = {} if scene.instances is None else find_instances(scene.instances)
    return np.bincount([i // 1000 for i in found], minlength=size).astype(np.float64)
