"""`evaluate dataset`: a finished data set against real pairs."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor

from generators.inference.device import choose_device
from label_editing.instance_table import find_instances
from label_editing.names import unknown_name
from label_editing.scene import Scene
from orchestration.cluster import ClusterInfo
from pipeline.console import Console
from pipeline.errors import InputError, MissingFileError, SourceError
from pipeline.evaluation.distances import FEWEST_IMAGES, Distances, distances
from pipeline.evaluation.duplicates import Twin, thumbnail, twins_between, twins_within
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.left_out import note_of_left_out
from pipeline.evaluation.likeness import EVERY, Groups, Likeness
from pipeline.evaluation.looks import ClassLook, Looks
from pipeline.evaluation.published_features import InceptionFeatures
from pipeline.evaluation.scores import Scores, Tally, note_of_weakness
from pipeline.glance import spread
from pipeline.passes import each
from pipeline.shards import layout
from pipeline.shards.sample import count_pixels
from pipeline.sources.base import Image, Source
from pipeline.sources.selection import keys_with_images
from pipeline.storage import Store

_SHOWN = 4  # best ones, and as many worst ones


@dataclass(frozen=True)
class Side:
    """One set of pairs, counted."""

    keys: tuple[str, ...]
    pixels: dict[str, float]  # class -> share of all pixels
    instances: dict[str, float] | None  # class -> objects an image; None: no scene has an instance map
    agreements: tuple[float, ...]  # in the order of the keys
    scores: Scores
    looks: Mapping[str, ClassLook]

    def as_data(self) -> dict[str, Any]:
        return {
            "images": len(self.keys),
            "pixels": self.pixels,
            "instances_an_image": self.instances,
            "agreement_mean": float(np.mean(self.agreements)),
            "agreement_percentiles": dict(
                zip(("5", "50", "95"), np.percentile(self.agreements, (5, 50, 95)).tolist(), strict=True)
            ),
            "scores": self.scores.as_data(),
            "looks": {name: look.as_data() for name, look in self.looks.items()},
        }


@dataclass(frozen=True)
class DatasetResult:
    """What is said of a data set."""

    made: Side
    real: Side
    likeness: Mapping[str, Likeness]  # to all real images and, asked for an attribute, to those of each value
    inception: Distances | None
    twins: tuple[Twin, ...]  # within the data set
    copies: tuple[Twin, ...]  # of real images
    rejects: dict[str, int]
    worst: tuple[str, ...]  # keys
    best: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def distances(self) -> Distances | None:
        """To all real images."""
        return self.likeness[EVERY].distances

    def twin_keys(self) -> list[tuple[str, str]]:
        """Each image with the earlier one that it nearly is."""
        return [(self.made.keys[twin.one], self.made.keys[twin.other]) for twin in self.twins]

    def copy_keys(self) -> list[tuple[str, str]]:
        """Each image with the real one that it nearly is."""
        return [(self.made.keys[twin.one], self.real.keys[twin.other]) for twin in self.copies]

    def as_data(self) -> dict[str, Any]:
        """The result file."""
        measured: dict[str, Any] = {
            "made": self.made.as_data(),
            "real": self.real.as_data(),
            "likeness": {group: likeness.as_data() for group, likeness in self.likeness.items()},
            "near_duplicates": len(self.twins),
            "near_duplicate_pairs": self.twin_keys(),
            "near_copies_of_real_images": len(self.copies),
            "near_copy_pairs": self.copy_keys(),
            "rejects": self.rejects,
            "worst": list(self.worst),
            "best": list(self.best),
            "notes": list(self.notes),
        }
        for each_network in (self.distances, self.inception):
            measured |= each_network.as_data() if each_network else {}
        return measured


def evaluate_dataset(
    made: Source,
    real: Source,
    judge: Judge,
    limit: int,
    console: Console,
    inception: InceptionFeatures | None = None,
    by: str | None = None,
    cluster: ClusterInfo | None = None,
) -> DatasetResult:
    """Look at so many images of each, evenly spread; `by` an attribute of the real ones, also group by group.

    On every worker of the cluster, where one is given.
    """
    _check_attribute(real, by)
    sides = []
    for number, source in enumerate((made, real)):
        keys = spread(_with_images(source), limit)
        looked = _Looked(judge, by if number else None)
        make = _MeasureImage(source, judge.on("cpu"), inception)
        with console.progress(("data set", "real images")[number], len(keys), "images") as progress:
            for measures in each(make, keys, cluster, "evaluation"):
                looked.add(measures)
                progress.advance()
        sides.append(looked)
    of_made, of_real = sides
    made_side, real_side = of_made.side(), of_real.side()
    order = np.argsort(of_made.agreements, kind="stable")
    keys_in_order = [of_made.keys[index] for index in order.tolist()]
    return DatasetResult(
        made=made_side,
        real=real_side,
        likeness=of_real.groups.beside(of_made.groups),
        inception=distances("inception", of_real.inception, of_made.inception),
        twins=tuple(twins_within(of_made.thumbnails)),
        copies=tuple(twins_between(of_made.thumbnails, of_real.thumbnails)),
        rejects={},
        worst=tuple(keys_in_order[:_SHOWN]),
        best=tuple(keys_in_order[::-1][:_SHOWN]),
        notes=(
            *filter(None, [note_of_weakness(real_side.scores)]),
            *_notes(made, real, limit),
            *_unknown_objects(made_side, real_side),
        ),
    )


class _MadeBy(BaseModel):
    """What dataset.json says of the generator."""

    teachers: dict[str, Annotated[int, Field(ge=0, strict=True)]] = {}


class _Index(BaseModel):
    model: _MadeBy = _MadeBy()


def teachers_of(store: Store) -> dict[str, int]:
    """The judges that taught the generator of a finished data set, and their seeds."""
    try:
        return _Index.model_validate_json(store.read(layout.DATASET)).model.teachers
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "not JSON"
        raise InputError(f"{store.place(layout.DATASET)}: damaged: {where}: {first['msg']}") from None


def count_rejects(store: Store) -> dict[str, int]:
    """Rejects of the run that made a data set, by stage and outcome; nothing for data of other origin."""
    try:
        lines = store.read(layout.REJECTS).decode().splitlines()
    except MissingFileError:
        return {}
    return dict(Counter(_why(json.loads(line)) for line in lines).most_common())


def _why(reject: dict[str, Any]) -> str:
    return f"{reject['stage']}: {reject['outcome']}: {str(reject['reason']).partition(':')[0]}"


@dataclass(frozen=True)
class _ImageMeasures:
    """What is gathered of one image."""

    key: str
    agreement: float
    tally: Tally
    pixels: dict[str, int]
    instances: Counter[str] | None  # None: no instance map
    attributes: Mapping[str, str]
    looks: Looks
    vector: Tensor  # what the judge sees
    inception: list[Tensor]
    thumbnail: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _MeasureImage:
    """Makes what looks at the images of a source. Pickles, so that any worker can make one."""

    source: Source
    judge: Judge
    inception: InceptionFeatures | None

    def __call__(self) -> Callable[[str], _ImageMeasures]:
        device = choose_device("auto")
        judge = self.judge.on(device)
        inception = None if self.inception is None else self.inception.on(device)

        def measure(key: str) -> _ImageMeasures:
            scene, image = self.source.read(key, judge.resolution)
            if image is None:
                raise SourceError(f"{key} has no image; a data set is measured by its images")
            return _measures(scene, image, judge, inception)

        return measure


def _measures(scene: Scene, image: Image, judge: Judge, inception: InceptionFeatures | None) -> _ImageMeasures:
    [found] = judge.predict(image[None])
    tally, looks = Tally(judge.catalog, judge.ignored), Looks(judge.catalog)
    tally.add(found, scene.labels)
    looks.add(image, scene.labels)
    return _ImageMeasures(
        key=scene.key,
        agreement=judge.share(found, scene.labels),
        tally=tally,
        pixels=count_pixels(scene.labels, scene.catalog),
        instances=None if scene.instances is None else _count_objects(scene),
        attributes=scene.attributes,
        looks=looks,
        vector=judge.image_vectors(image[None])[0],
        inception=[] if inception is None else list(inception.vectors(image[None])),
        thumbnail=thumbnail(image),
    )


def _count_objects(scene: Scene) -> Counter[str]:
    assert scene.instances is not None
    return Counter(scene.catalog.with_id(each.class_id).name for each in find_instances(scene.instances).values())


class _Looked:
    """What is gathered of one side, image by image."""

    def __init__(self, judge: Judge, by: str | None) -> None:
        self._by = by
        self._tally = Tally(judge.catalog, judge.ignored)
        self._pixels: Counter[str] = Counter()
        self._instances: Counter[str] | None = None
        self.groups = Groups(judge.catalog)
        self.keys: list[str] = []
        self.agreements: list[float] = []
        self.thumbnails: list[npt.NDArray[np.float32]] = []
        self.inception: list[Tensor] = []

    def add(self, image: _ImageMeasures) -> None:
        self.keys.append(image.key)
        self.agreements.append(image.agreement)
        self._tally.merge(image.tally)
        self._pixels.update(image.pixels)
        if image.instances is not None:
            self._instances = (self._instances or Counter()) + image.instances
        value = image.attributes.get(self._by) if self._by else None
        self.groups.add(value, image.looks, image.vector)
        self.inception.extend(image.inception)
        self.thumbnails.append(image.thumbnail)

    def side(self) -> Side:
        total = sum(self._pixels.values())
        return Side(
            keys=tuple(self.keys),
            pixels={name: count / total for name, count in self._pixels.most_common()},
            instances=None if self._instances is None else self._an_image(self._instances),
            agreements=tuple(self.agreements),
            scores=self._tally.scores(),
            looks=self.groups.looks(),
        )

    def _an_image(self, counts: Counter[str]) -> dict[str, float]:
        return {name: count / len(self.keys) for name, count in counts.most_common()}


def _unknown_objects(made: Side, real: Side) -> list[str]:
    """Nothing is said where neither side knows of any."""
    unknown = [what for what, side in (("data set", made), ("real source", real)) if side.instances is None]
    advice = "; sources that find them in their label maps take instances: components"
    return [
        f"objects are not compared: the {what} has no instance maps{advice}" for what in unknown if len(unknown) == 1
    ]


def _check_attribute(real: Source, by: str | None) -> None:
    known = sorted({name for key in real.keys() for name in real.attributes(key)}) if by is not None else []
    if by is not None and by not in known:
        raise InputError(f"--by: {unknown_name('attribute', by, known)}")


def _with_images(source: Source) -> Sequence[str]:
    """With none at all, all of them, the first of which is refused."""
    return keys_with_images(source) or source.keys()


def _notes(made: Source, real: Source, limit: int) -> tuple[str, ...]:
    sides = (("data set", made), ("real source", real))
    counts = [(what, len(_with_images(source))) for what, source in sides]
    bare = [note for what, source in sides if (note := note_of_left_out(source, f"the {what}"))]
    looked = [f"{limit} of the {count} images of the {what} were looked at" for what, count in counts if count > limit]
    few = [what for what, count in counts if min(count, limit) < FEWEST_IMAGES]
    return (*bare, *looked, *(f"no FID and no KID: fewer than {FEWEST_IMAGES} images of the {what}" for what in few))
