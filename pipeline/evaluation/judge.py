"""The judge: a segmentation network taught on real pairs, which says how well an image shows its label map."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from generators.checkpoint import load_weights, save_weights
from generators.inference.device import choose_device
from generators.segmenter import SegmentationNetwork, predict, predict_with_surprise, to_network
from label_editing.catalog import Catalog
from label_editing.scene import LabelMap
from pipeline.console import Console
from pipeline.errors import InputError, SourceError
from pipeline.evaluation.networks import (
    SMALL,
    Batch,
    build_network,
    check_name,
    ignored_channels,
    is_trained_here,
    precision_here,
    teach,
)
from pipeline.evaluation.segformer import open_published, published_fingerprint
from pipeline.glance import spread
from pipeline.judge_card import JudgeCard, read_judge_card
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.sources.selection import keys_with_images
from pipeline.storage import Store
from pipeline.training.data import PairReader, Views

CARD = "judge.json"
WEIGHTS = "segmenter.safetensors"
_CACHE_BYTES = 512 * 2**20  # of decoded pairs, however large the source
_FEWEST_PAIRS = 2
_LOOKED_AT = 32  # own pairs


@dataclass(frozen=True)
class JudgeSettings:
    """How a judge is trained. Part of its fingerprint."""

    segmenter: str = "small"
    steps: int = 700
    batch_size: int = 8
    width: int = 24
    seed: int = 0


@dataclass(frozen=True)
class Judge:
    """A segmentation network over a catalog, on its device."""

    network: SegmentationNetwork
    catalog: Catalog
    resolution: Resolution
    fingerprint: str
    ignored: tuple[int, ...]  # channels that it was not taught: pixels that truly have them do not count

    def on(self, device: torch.device | str) -> "Judge":
        """The same network there; one that travels is on the CPU."""
        return replace(self, network=self.network.to(device))

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
        """The most likely channel of every pixel of B x H x W x 3 images."""
        return predict(self.network, images)

    def agreements(self, images: npt.NDArray[np.uint8], labels: Sequence[LabelMap]) -> list[float]:
        """For each image, the share of counted pixels on which the label is found again; 1 where none counts."""
        return [self.share(found, ids) for found, ids in zip(self.predict(images), labels, strict=True)]

    def agreement(self, image: Image, labels: LabelMap) -> float:
        """As `agreements`, of one image."""
        return self.agreements(image[None], [labels])[0]

    def predict_with_surprise(
        self, images: npt.NDArray[np.uint8], labels: Sequence[LabelMap]
    ) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
        """The most likely channel of every pixel, and how surprised the judge is at its label."""
        return predict_with_surprise(self.network, images, self.catalog.channel_of[np.stack(labels)])

    @torch.inference_mode()
    def features(self, images: npt.NDArray[np.uint8]) -> list[torch.Tensor]:
        """What the network sees in images, fine to coarse, on the CPU."""
        return [level.float().cpu() for level in self.network.features(to_network(images).to(self.network.device))]

    def image_vectors(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """Images as one vector each: the deepest level, averaged over the image."""
        return self.features(images)[-1].mean((2, 3))

    def counts(self, labels: LabelMap) -> bool:
        """Whether any pixel of a label map counts."""
        return not np.isin(self.catalog.channel_of[labels], self.ignored).all()

    def share(self, found: npt.NDArray[np.uint16], labels: LabelMap) -> float:
        """The share of counted pixels of a predicted channel map on which the label is found again."""
        true = self.catalog.channel_of[labels]
        counted = ~np.isin(true, self.ignored)
        return float((found == true)[counted].mean()) if counted.any() else 1.0


def judge_for(source: Source, resolution: Resolution, settings: JudgeSettings, cache: Store, console: Console) -> Judge:
    """The judge of this source: a published one, one from the cache, or one trained now and kept there."""
    check_name(settings.segmenter)
    if not is_trained_here(settings.segmenter):
        return _published(source.catalog, resolution, settings.segmenter)
    fingerprint = judge_fingerprint(source, resolution, settings)
    if cache.exists(f"{fingerprint}/{CARD}"):
        return _open(cache, fingerprint, source.catalog, resolution, settings)
    cache.check_writable()
    judge = train_judge(source, resolution, settings, console)
    _save(judge, settings, source, cache)
    return judge


def train_judge(source: Source, resolution: Resolution, settings: JudgeSettings, console: Console) -> Judge:
    """Train a judge on pairs drawn from all of the source."""
    check_teaches(source)
    reader = PairReader(source, Views(resolution), _CACHE_BYTES)
    catalog = source.catalog
    network = build_network(settings.segmenter, catalog.num_channels, settings.width, settings.seed)
    ignored = ignored_channels(catalog)
    with console.progress("training the judge", settings.steps, "steps") as progress:
        batches = draw_batches(reader, settings.steps, settings.batch_size, np.random.default_rng(settings.seed))
        network = teach(network, settings.segmenter, batches, settings.steps, ignored, progress, precision_here())
    return Judge(network, catalog, resolution, judge_fingerprint(source, resolution, settings), ignored)


def check_teaches(source: Source) -> None:
    """SourceError for a source that no judge can be trained on."""
    if not source.paired:
        raise SourceError(f"{source.format}: its images do not show its label maps; a judge is trained on pairs")
    pairs = len(keys_with_images(source))
    if pairs < _FEWEST_PAIRS:
        what = "pair" if pairs == 1 else "pairs"
        raise SourceError(f"the source has {pairs} {what}; a judge is trained on at least {_FEWEST_PAIRS}")


def agreement_on_own(judge: Judge, source: Source, cache: Store) -> float:
    """The mean agreement of some of the pairs that a judge learned from: the most that rendered images can reach.

    Found once, and kept with the judge.
    """
    said = json.loads(cache.read(f"{judge.fingerprint}/{CARD}"))
    if "own_agreement" not in said:
        keys = spread(keys_with_images(source), _LOOKED_AT)
        pairs = (source.read(key, judge.resolution) for key in keys)
        found = [judge.agreement(image, scene.labels) for scene, image in pairs if image is not None]
        said["own_agreement"] = float(np.mean(found)) if found else 0.0
        cache.write_atomic(f"{judge.fingerprint}/{CARD}", json.dumps(said, indent=1).encode())
    return float(said["own_agreement"])


def draw_batches(reader: PairReader, steps: int, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Pairs drawn at random, mirrored every other time, read when their turn comes."""
    for _ in range(steps):
        picked = rng.integers(len(reader), size=batch_size)
        pairs = [reader.view(int(index), rng) for index in picked]
        yield np.stack([pair.image for pair in pairs]), np.stack([pair.labels for pair in pairs])


def _published(catalog: Catalog, resolution: Resolution, location: str) -> Judge:
    network = open_published(location, catalog)
    ignored = tuple(rank for rank, spec in enumerate(catalog.classes) if spec.void or spec.train_id == 255)
    fingerprint = published_fingerprint(network)
    return Judge(network.to(choose_device("auto")).eval(), catalog, resolution, fingerprint, ignored)


def impartial(settings: JudgeSettings, teachers: Mapping[str, int], console: Console | None = None) -> JudgeSettings:
    """The same settings, or the next free seed, so that no generator is judged by what it was made to please.

    The rule is cautious: judges of one seed and width start from the same weights, and of one batch size see the same
    pairs, at any resolution and however long. Only small ones teach.
    """
    if settings.segmenter != SMALL:
        return settings
    seed = next(seed for seed in count(settings.seed) if seed not in teachers.values())
    if seed != settings.seed and console is not None:
        console.note(f"a judge of seed {settings.seed} taught this generator: one of seed {seed} judges")
    return replace(settings, seed=seed)


def judge_fingerprint(source: Source, resolution: Resolution, settings: JudgeSettings) -> str:
    """What a judge of these settings is known by, before it is trained."""
    said = json.dumps([source.fingerprint(), str(resolution), asdict(settings), source.catalog.model_dump_json()])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _save(judge: Judge, settings: JudgeSettings, source: Source, cache: Store) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        save_weights(judge.network, path, _card(judge.fingerprint, judge.catalog, settings).as_metadata())
        cache.write_atomic(f"{judge.fingerprint}/{WEIGHTS}", path.read_bytes())
    said: dict[str, Any] = {"settings": asdict(settings), "resolution": str(judge.resolution)}
    said |= {"catalog": judge.catalog.name, "source": _described(source), "learned_in": precision_here()}
    # Last: a judge without it is not there.
    cache.write_atomic(f"{judge.fingerprint}/{CARD}", json.dumps(said, indent=1).encode())


def _described(source: Source) -> dict[str, Any]:
    """What a reader of the cache knows a source by."""
    keys = keys_with_images(source)
    said = {"format": source.format, "split": source.split, "pairs": len(keys), "fingerprint": source.fingerprint()}
    first = source.files(keys[0])
    return said | ({"first": first[0]} if first else {})


def _card(fingerprint: str, catalog: Catalog, settings: JudgeSettings) -> JudgeCard:
    return JudgeCard(judge=fingerprint, seed=settings.seed, classes=catalog.names)


def _open(cache: Store, fingerprint: str, catalog: Catalog, resolution: Resolution, settings: JudgeSettings) -> Judge:
    network = build_network(settings.segmenter, catalog.num_channels, settings.width, settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        path.write_bytes(cache.read(f"{fingerprint}/{WEIGHTS}"))
        try:
            load_weights(network, path)
            if read_judge_card(path) is None:
                save_weights(network, path, _card(fingerprint, catalog, settings).as_metadata())
                cache.write_atomic(f"{fingerprint}/{WEIGHTS}", path.read_bytes())
        except ValueError as error:
            raise InputError(f"{cache.place(fingerprint)}: {error}; remove that folder to train it again") from None
    network = network.to(choose_device("auto")).eval()
    return Judge(network, catalog, resolution, fingerprint, ignored_channels(catalog))
