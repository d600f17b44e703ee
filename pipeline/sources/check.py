"""Reads a source, whole or in part, and reports what is in it and everything that is wrong with it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from label_editing.catalog import INSTANCES_PER_CLASS
from pipeline.engine_failures import in_words
from pipeline.errors import SourceError, StorageError, UnknownIdsError
from pipeline.glance import spread
from pipeline.sources.base import Source, Unpaired

_AHEAD = 4  # scenes in flight per thread, so that a large source never waits in memory


class Finding(NamedTuple):
    """What one scene was found to be; `problem` when it cannot be used."""

    key: str
    size: tuple[int, int] | None
    pixels: dict[int, int]  # by class id
    instances: dict[int, int]
    has_image: bool
    problem: str | None
    unknown_ids: Mapping[int, int] = {}


@dataclass
class CheckReport:
    """A source in numbers, and all its problems."""

    format: str
    split: str
    scenes: int
    read: int = 0
    images: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    pixels: Counter[str] = field(default_factory=Counter)  # by class name
    scenes_with: Counter[str] = field(default_factory=Counter)
    instances: Counter[str] = field(default_factory=Counter)
    attributes: dict[str, Counter[str]] = field(default_factory=dict)
    unpaired: list[Unpaired] = field(default_factory=list)
    unknown_ids: Counter[int] = field(default_factory=Counter)  # pixels of ids that are no class
    broken: list[tuple[str, str]] = field(default_factory=list)  # key, problem with its file
    all_void: list[str] = field(default_factory=list)  # keys of scenes without a pixel that counts

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.unpaired and not self.broken

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON data."""
        return {
            "format": self.format,
            "split": self.split,
            "sound": self.sound,
            "scenes": self.scenes,
            "read": self.read,
            "images": self.images,
            "sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.most_common()},
            "classes": {
                name: {"pixels": pixels, "scenes": self.scenes_with[name], "instances": self.instances[name]}
                for name, pixels in self.pixels.most_common()
            },
            "attributes": {name: dict(values.most_common()) for name, values in self.attributes.items()},
            "unknown_ids": {str(i): pixels for i, pixels in self.unknown_ids.most_common()},
            "unpaired": [unpaired._asdict() for unpaired in self.unpaired],
            "all_void": self.all_void,
            "broken": [{"key": key, "problem": problem} for key, problem in self.broken],
        }


Examined = Callable[[Source, Sequence[str]], Iterable[Finding]]


def check_source(
    source: Source,
    limit: int | None = None,
    examined: Examined | None = None,
    advance: Callable[[], None] = lambda: None,
) -> CheckReport:
    """Read every scene, or `limit` of them spread evenly over the source, and count."""
    keys = spread(source.keys(), limit)
    report = CheckReport(source.format, source.split, len(source.keys()), unpaired=list(source.unpaired()))
    for finding in (examined or on_threads(4))(source, keys):
        _count(report, source, finding)
        advance()
    return report


def on_threads(threads: int) -> Examined:
    """Scenes are examined here, so many at a time."""
    return partial(_findings, threads=threads)


def on_cluster(address: str) -> Examined:
    """Scenes are examined on every CPU of a Ray cluster, which has to see the same storage."""
    from orchestration.cluster import connect
    from orchestration.parallel import map_parallel

    cluster = connect(address)

    def examined(source: Source, keys: Sequence[str]) -> Iterator[Finding]:
        with in_words():
            yield from map_parallel(partial(_examiner, source), keys, cluster, "check")

    return examined


def _examiner(source: Source) -> Callable[[str], Finding]:
    return partial(examine, source)


def _findings(source: Source, keys: Sequence[str], *, threads: int) -> Iterator[Finding]:
    with ThreadPoolExecutor(threads) as pool:
        waiting = iter(keys)
        running = [pool.submit(examine, source, key) for key in islice(waiting, threads * _AHEAD)]
        try:
            while running:
                finding = running.pop(0).result()
                running += [pool.submit(examine, source, key) for key in islice(waiting, 1)]
                yield finding
        finally:
            for task in running:
                task.cancel()


def examine(source: Source, key: str) -> Finding:
    """Read one scene and its image. Pixels are decoded: a header says nothing of damage behind it."""
    try:
        scene, image = source.read(key)
    except UnknownIdsError as error:
        return Finding(key, None, {}, {}, False, str(error), error.pixels)
    except (SourceError, StorageError) as error:
        return Finding(key, None, {}, {}, False, str(error))
    ids = np.empty(0, np.int64) if scene.instances is None else np.unique(scene.instances)
    classes, objects = np.unique(ids[ids >= INSTANCES_PER_CLASS] // INSTANCES_PER_CLASS, return_counts=True)
    pixels = np.bincount(scene.labels.ravel())
    return Finding(
        key,
        (scene.width, scene.height),
        {int(i): int(pixels[i]) for i in np.flatnonzero(pixels)},
        dict(zip(classes.tolist(), objects.tolist(), strict=True)),
        image is not None,
        None,
    )


def _count(report: CheckReport, source: Source, finding: Finding) -> None:
    report.read += 1
    report.unknown_ids.update(finding.unknown_ids)
    if finding.problem is not None or finding.size is None:
        report.broken.append((finding.key, finding.problem or "nothing was read"))
        return
    report.sizes[finding.size] += 1
    report.images += finding.has_image
    if all(source.catalog.with_id(class_id).void for class_id in finding.pixels):
        report.all_void.append(finding.key)
    for class_id, pixels in finding.pixels.items():
        name = source.catalog.with_id(class_id).name
        report.pixels[name] += pixels
        report.scenes_with[name] += 1
    for class_id, objects in finding.instances.items():
        report.instances[source.catalog.with_id(class_id).name] += objects
    for name, value in source.attributes(finding.key).items():
        report.attributes.setdefault(name, Counter())[value] += 1
