"""`evaluate downstream`: the same network, budget and seeds on real, synthetic and augmented data."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from generators.inference.device import Precision
from generators.segmenter import SegmentationNetwork
from label_editing.names import unknown_name
from pipeline.console import Console, ProgressMode
from pipeline.errors import InputError, RunError, SourceError
from pipeline.evaluation.arms import ARMS, COPY_PASTE, MIXED_COPY_PASTE, REAL, Materials, arm_batches, arm_named
from pipeline.evaluation.baselines import has_objects
from pipeline.evaluation.held_out import check_apart, check_paired, check_pairs, note_of_copies, note_of_leaks
from pipeline.evaluation.left_out import note_of_left_out
from pipeline.evaluation.networks import build_network, check_name, ignored_channels, is_trained_here, teach
from pipeline.evaluation.provenance import provenance
from pipeline.evaluation.scores import score_pairs
from pipeline.glance import spread
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images
from pipeline.storage import Store
from pipeline.training.data import PairReader, Views

OVERALL = "all"
_LOOKED_AT = 32  # real pairs, for objects to paste
_CACHE_BYTES = 768 * 2**20
_FEWEST_PAIRS = 2


@dataclass(frozen=True)
class Budget:
    """The same for every arm and seed."""

    segmenter: str = "small"
    steps: int = 600
    batch_size: int = 8
    width: int = 24
    share: float = 0.5
    last_share: float | None = None  # None: it stays as it is
    seeds: int = 3
    minutes: float | None = None  # no training starts after so long
    precision: Precision = "float32"  # that networks learn in


@dataclass(frozen=True)
class Trial:
    """What is compared: where to learn, where to be measured, and by which attribute."""

    real: Source
    synthetic: Source | None
    holdout: Source
    resolution: Resolution
    by: str | None = None
    arms: tuple[str, ...] = tuple(ARMS)


Origin = dict[str, str]  # of a training: commit, device and date


@dataclass(frozen=True)
class DownstreamResult:
    """arm -> a run a seed; a run is group -> scores, where the group `all` is every held-out scene."""

    runs: dict[str, list[dict[str, Any]]]
    budget: Budget
    scenes: dict[str, int]  # group -> held-out scenes
    resolution: Resolution
    notes: tuple[str, ...] = field(default=())
    trained: tuple[Origin, ...] = ()  # by which commits, on which devices and days; unknown of runs of older versions

    @property
    def num_seeds(self) -> int:
        return len(self.runs[REAL])

    def values(self, arm: str, group: str = OVERALL, class_name: str | None = None) -> list[float]:
        """Mean IoU of every seed, or the IoU of one class."""
        scores = [run[group] for run in self.runs[arm]]
        return [float(s["mean_iou"] if class_name is None else s["class_iou"][class_name]) for s in scores]

    def classes(self, group: str = OVERALL) -> list[str]:
        """Classes that occur in the held-out scenes of this group."""
        return list(self.runs[REAL][0][group]["class_iou"])

    def absent(self, group: str = OVERALL) -> list[str]:
        """Classes that do not, and are left out of its mean."""
        return list(self.runs[REAL][0][group]["absent"])


def run_downstream(
    trial: Trial, budget: Budget, store: Store, console: Console, spread: "Spread | None" = None
) -> DownstreamResult:
    """Every arm with every seed. What is in the store already is not trained again."""
    check_trial(trial, budget)
    trainer, kept = Trainer(trial, budget), _KeptRuns(trial, budget, store)
    trainer.check_images()
    warnings = [*_warnings(trial, store, console), *trainer.nothing_to_paste()]
    for warning in warnings:
        console.warn(warning)
    started = time.monotonic()
    done = 0
    # Without a limit of time all seeds go out together; with one, seed by seed.
    for seeds in [range(budget.seeds)] if budget.minutes is None else [range(s, s + 1) for s in range(budget.seeds)]:
        if done and budget.minutes is not None and time.monotonic() - started > budget.minutes * 60:
            break
        missing = [Run(arm, seed) for seed in seeds for arm in trial.arms if not kept.is_there(Run(arm, seed))]
        if missing:
            for run, made in (spread or here(console))(trainer, missing):
                kept.keep(run, made)
        done = seeds[-1] + 1
    found = {arm: [kept.read(Run(arm, seed)) for seed in range(done)] for arm in trial.arms}
    runs = {arm: [made.scores for made in of_arm] for arm, of_arm in found.items()}
    origins = {tuple(made.origin.items()) for of_arm in found.values() for made in of_arm}
    counts = {group: len(indices) for group, indices in trainer.groups.items()}
    notes = (*_notes(len(runs[REAL]), budget), *warnings)
    return DownstreamResult(runs, budget, counts, trial.resolution, notes, tuple(map(dict, sorted(origins))))


class Run(NamedTuple):
    """One training and what it scores."""

    arm: str
    seed: int


class Made(NamedTuple):
    """What a run scores by group, and where that comes from."""

    scores: dict[str, Any]
    origin: Origin


class _KeptRuns:
    """What was made before: nothing is trained twice."""

    def __init__(self, trial: Trial, budget: Budget, store: Store) -> None:
        self._store = store
        self._names = {arm: _fingerprint(trial, budget, arm) for arm in trial.arms}

    def is_there(self, run: Run) -> bool:
        return self._store.exists(self._path(run))

    def read(self, run: Run) -> Made:
        found = json.loads(self._store.read(self._path(run)))
        return Made(**found) if Made._fields[0] in found else Made(found, {})  # scores alone, of an older version

    def keep(self, run: Run, made: Made) -> None:
        self._store.write_atomic(self._path(run), json.dumps(made._asdict()).encode())

    def _path(self, run: Run) -> str:
        return f"runs/{self._names[run.arm]}-{run.seed}.json"


class Trainer:
    """Trains and measures run by run. What it has read is read once; a copy sent to a worker reads it there.

    It writes nothing: workers need not see the folder that results go to.
    """

    def __init__(self, trial: Trial, budget: Budget) -> None:
        self._trial, self._budget = trial, budget
        self.groups = _groups(trial)
        self._materials = _materials(trial, budget)
        self._held_out = PairReader(trial.holdout, Views(trial.resolution, flip=False), _CACHE_BYTES)

    def __reduce__(self) -> tuple[type["Trainer"], tuple[Trial, Budget]]:
        return Trainer, (self._trial, self._budget)

    def check_images(self) -> None:
        _check_images(self._materials, self._held_out)
        ignored = ignored_channels(self._trial.real.catalog)
        _check_labels(self._held_out, self.groups, self._trial.by, ignored)

    def nothing_to_paste(self) -> list[str]:
        """A word of warning where arms that paste objects find none."""
        pasting = [arm for arm in self._trial.arms if arm in (COPY_PASTE, MIXED_COPY_PASTE)]
        looked = spread(range(len(self._materials.real)), _LOOKED_AT) if pasting else []
        if not pasting or any(has_objects(self._materials.real.pair(index)) for index in looked):
            return []
        return [
            f"{' and '.join(pasting)}: nothing is pasted, for none of {len(looked)} real pairs has an object; give a "
            "source with instance maps, or with instances: components where it takes that"
        ]

    def make(self, run: Run, console: Console) -> tuple[Run, Made]:
        """Train and measure."""
        origin = {name: str(value) for name, value in provenance().items() if name in ("commit", "device", "date")}
        network = _train(self._trial, self._budget, self._materials, run.arm, run.seed, console)
        return run, Made(_measure(network, self._trial, self._held_out, self.groups), origin)


Spread = Callable[[Trainer, Sequence[Run]], Iterator[tuple[Run, Made]]]


def here(console: Console) -> Spread:
    """One training after the other, in this process."""

    def spread(trainer: Trainer, runs: Sequence[Run]) -> Iterator[tuple[Run, Made]]:
        for run in runs:
            yield trainer.make(run, console)

    return spread


def on_workers(workers: int, address: str | None, console: Console) -> Spread:
    """So many trainings at a time on Ray workers, which share what GPUs there are; as they end.

    Ray is joined when there is something to train, and left by whoever called for it.
    """

    def spread(trainer: Trainer, runs: Sequence[Run]) -> Iterator[tuple[Run, Made]]:
        from orchestration.cluster import connect
        from orchestration.parallel import map_parallel
        from pipeline.engine_failures import in_words

        cluster = connect(address)
        several = min(workers, len(runs))
        gpus = gpu_share(several, cluster.gpus)
        made = map_parallel(partial(_maker, trainer), runs, cluster, "training", 1, several, gpus, ordered=False)
        with in_words(), console.progress("training and measuring", len(runs), "runs") as progress:
            for run, found in made:
                yield run, found
                progress.advance(note=f"{run.arm}, seed {run.seed}")

    return spread


def gpu_share(workers: int, gpus: float) -> float:
    """What each worker holds of a GPU, so that all of them find a place at once: a share lies on one GPU."""
    if not gpus:
        return 0.0
    return 1.0 if workers <= gpus else 1 / math.ceil(workers / gpus)


def _maker(trainer: Trainer) -> Callable[[Run], tuple[Run, Made]]:
    return partial(trainer.make, console=Console(quiet=True, mode=ProgressMode.OFF))


def check_trial(trial: Trial, budget: Budget) -> None:
    """InputError for what cannot be compared, before anything is trained."""
    check_name(budget.segmenter)
    if not is_trained_here(budget.segmenter):
        raise InputError(
            f"segmenter {budget.segmenter!r} is published; downstream trains from scratch: small, segformer"
        )
    for arm in trial.arms:
        if arm not in ARMS:
            raise InputError(unknown_name("arm", arm, ARMS))
    if REAL not in trial.arms:
        raise InputError(f"the arm {REAL!r} is what the others are compared with; leave it in")
    check_paired(trial.real, "the real source")
    check_pairs(trial.holdout)
    check_apart(trial.real, trial.holdout, trial.resolution)
    if len(trial.real.keys()) < _FEWEST_PAIRS:
        raise SourceError(f"the real source has {len(trial.real.keys())} pair; training needs at least {_FEWEST_PAIRS}")


def _materials(trial: Trial, budget: Budget) -> Materials:
    real = PairReader(trial.real, Views(trial.resolution), _CACHE_BYTES)
    synthetic = None
    if trial.synthetic is not None:
        synthetic = PairReader(trial.synthetic, Views(trial.resolution), _CACHE_BYTES)
    materials = Materials(real, synthetic, trial.real.catalog, budget.share, budget.last_share)
    for arm in trial.arms:
        arm_named(arm, materials)
    return materials


def _check_images(materials: Materials, held_out: PairReader) -> None:
    """SourceError for labels without images now, not after hours: one pair to train on, all that is measured on."""
    for what, reader, count in (
        ("the real source", materials.real, 1),
        ("the synthetic data set", materials.synthetic, 1),
        ("the held-out source", held_out, len(held_out)),
    ):
        try:
            if reader is not None:
                for index in range(count):
                    reader.pair(index)
        except SourceError as error:
            raise SourceError(f"{what}: {error}") from None


def _check_labels(held_out: PairReader, groups: dict[str, list[int]], by: str | None, ignored: tuple[int, ...]) -> None:
    """SourceError for a group without one pixel to score, now and not after its trainings."""
    labelled = [not np.isin(held_out.pair(index).labels, ignored).all() for index in range(len(held_out))]
    for group, indices in groups.items():
        if not any(labelled[index] for index in indices):
            what = "" if group == OVERALL else f" with {by} {group}"
            raise SourceError(
                f"the held-out source: nothing is labelled in any of its {len(indices)} scenes{what}; leave them out "
                "with select or where, or label them"
            )


def _groups(trial: Trial) -> dict[str, list[int]]:
    """Held-out scenes by the attribute asked for, and all of them."""
    keys = keys_with_images(trial.holdout)  # as the reader counts them
    groups: dict[str, list[int]] = {OVERALL: list(range(len(keys)))}
    if trial.by is None:
        return groups
    attributes = [trial.holdout.attributes(key) for key in keys]
    known = sorted({name for of_scene in attributes for name in of_scene})
    if trial.by not in known:
        raise InputError(f"--by: {unknown_name('attribute', trial.by, known)}")
    for index, of_scene in enumerate(attributes):
        groups.setdefault(of_scene.get(trial.by, f"no {trial.by}"), []).append(index)
    return groups


def _train(
    trial: Trial, budget: Budget, materials: Materials, arm: str, seed: int, console: Console
) -> SegmentationNetwork:
    catalog = trial.real.catalog
    network = build_network(budget.segmenter, catalog.num_channels, budget.width, seed)
    # Arms of one seed start from the same weights and meet the same real pairs, so that they compare in pairs.
    batches = arm_batches(arm, materials, budget.steps, budget.batch_size, seed)
    with console.progress(f"{arm}, seed {seed}", budget.steps, "steps") as progress:
        return teach(
            network, budget.segmenter, batches, budget.steps, ignored_channels(catalog), progress, budget.precision
        )


def _measure(
    network: SegmentationNetwork, trial: Trial, held_out: PairReader, groups: dict[str, list[int]]
) -> dict[str, Any]:
    """Scores of every group."""
    catalog = trial.real.catalog
    try:
        found = score_pairs(network, held_out, catalog, ignored_channels(catalog), groups)
    except ValueError as error:
        raise RunError(f"the held-out source: {error}") from None
    return {group: scores.as_data() for group, scores in found.items()}


def _fingerprint(trial: Trial, budget: Budget, arm: str) -> str:
    synthetic = trial.synthetic.fingerprint() if trial.synthetic is not None and "synthetic" in arm else ""
    settings = {key: value for key, value in asdict(budget).items() if key not in ("seeds", "minutes")}
    if budget.precision == "float32":
        del settings["precision"]  # as before there was another
    if "+" not in arm:
        del settings["share"], settings["last_share"]
    else:
        settings["draws"] = 2  # 1: each arm that mixes drew other real pairs
        if budget.last_share is None:
            del settings["last_share"]
    said = [trial.real.fingerprint(), synthetic, trial.holdout.fingerprint(), str(trial.resolution), trial.by, settings]
    return f"{arm.replace(' + ', '-')}-{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]}"


def _warnings(trial: Trial, store: Store, console: Console) -> list[str]:
    """What may make the comparison worthless, said before hours are spent on it; images are looked at once."""
    looking = 2  # 1: neither mirrored nor exposed anew
    said = json.dumps([trial.real.fingerprint(), trial.holdout.fingerprint(), str(trial.resolution), looking])
    looked = f"copies-{hashlib.sha256(said.encode()).hexdigest()[:12]}.txt"
    if not store.exists(looked):
        copies = note_of_copies(trial.real, trial.holdout, trial.resolution, console)
        store.write_atomic(looked, copies.encode())
    found = [store.read(looked).decode()]
    sides = (
        ("the real source", trial.real),
        ("the synthetic data set", trial.synthetic),
        ("the held-out source", trial.holdout),
    )
    found += [note_of_left_out(source, what) for what, source in sides if source is not None]
    if trial.synthetic is not None:
        found.append(note_of_leaks(trial.synthetic, trial.holdout))
    return [warning for warning in found if warning]


def _notes(done: int, budget: Budget) -> tuple[str, ...]:
    notes: Sequence[str] = ()
    if done < budget.seeds:
        notes = (f"{done} of {budget.seeds} seeds: the {budget.minutes:g} minutes were used up; run again to go on",)
    return (*notes, *(("fewer than 3 seeds: take no difference for more than a hint",) if done < 3 else ()))
