"""The judge: a segmentation network trained on real pairs, which says how well an image shows its label map."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from generators.checkpoint import load_weights, save_weights
from generators.segmenter import STRIDE, Segmenter, SegmenterTraining, predict, to_network
from label_editing.catalog import Catalog
from label_editing.scene import LabelMap
from pipeline.console import Console
from pipeline.errors import InputError, SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.storage import Store

CARD = "judge.json"
WEIGHTS = "segmenter.safetensors"


@dataclass(frozen=True)
class JudgeSettings:
    """How a judge is trained. Part of its fingerprint."""

    steps: int = 700
    batch_size: int = 8
    width: int = 24
    seed: int = 0


@dataclass(frozen=True)
class Judge:
    """A trained segmentation network over a catalog."""

    segmenter: Segmenter
    catalog: Catalog
    resolution: Resolution
    fingerprint: str

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
        """The most likely channel of every pixel of B x H x W x 3 images."""
        return predict(self.segmenter, images)

    def agreement(self, image: Image, labels: LabelMap) -> float:
        """Share of the pixels that are not void on which the judge finds the label again; 1 when all are void."""
        found = self.predict(image[None])[0]
        counted = ~self.catalog.is_void[labels]
        if not counted.any():
            return 1.0
        return float((found == self.catalog.channel_of[labels])[counted].mean())


def judge_for(source: Source, resolution: Resolution, settings: JudgeSettings, cache: Store, console: Console) -> Judge:
    """The judge of this source, from the cache or trained now and kept there."""
    fingerprint = _fingerprint(source, resolution, settings)
    if cache.exists(f"{fingerprint}/{CARD}"):
        return _open(cache, fingerprint, source.catalog, resolution, settings)
    judge = train_judge(source, resolution, settings, console)
    _save(judge, settings, cache)
    return judge


def train_judge(source: Source, resolution: Resolution, settings: JudgeSettings, console: Console) -> Judge:
    """Train a judge on every pair of the source."""
    images, labels = _pairs(source, resolution)
    torch.manual_seed(settings.seed)
    segmenter = Segmenter(source.catalog.num_channels, settings.width)
    void = tuple(int(source.catalog.channel_of[c.id]) for c in source.catalog.classes if c.void)
    training = SegmenterTraining(segmenter, settings.steps, void)
    rng = np.random.default_rng(settings.seed)
    with console.progress("training the judge", settings.steps, "steps") as progress:
        for picked in _batches(len(images), settings, rng):
            flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
            batch_BHW = torch.from_numpy(np.ascontiguousarray(labels[picked][:, :, flip]).astype(np.int64))
            loss = training.step(to_network(np.ascontiguousarray(images[picked][:, :, flip])), _padded(batch_BHW))
            progress.advance(note=f"loss {loss:.3f}")
    return Judge(segmenter.eval(), source.catalog, resolution, _fingerprint(source, resolution, settings))


def _batches(num_pairs: int, settings: JudgeSettings, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    for _ in range(settings.steps):
        yield rng.integers(num_pairs, size=settings.batch_size)


def _padded(labels_BHW: torch.Tensor) -> torch.Tensor:
    # The network's input is padded to its stride by repeating borders: the labels likewise.
    below, right = (-side % STRIDE for side in labels_BHW.shape[1:])
    padded = torch.nn.functional.pad(labels_BHW[:, None].float(), (0, right, 0, below), mode="replicate")
    return padded[:, 0].long()


def _pairs(source: Source, resolution: Resolution) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    images, labels = [], []
    for key in source.keys():
        pair = source.read(key, resolution)
        if pair.image is None:
            raise SourceError(f"{key} has no image; a judge is trained on images with their labels")
        images.append(pair.image)
        labels.append(source.catalog.channel_of[pair.scene.labels])
    return np.stack(images), np.stack(labels)


def _fingerprint(source: Source, resolution: Resolution, settings: JudgeSettings) -> str:
    said = json.dumps([source.fingerprint(), str(resolution), asdict(settings), source.catalog.model_dump_json()])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _save(judge: Judge, settings: JudgeSettings, cache: Store) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        save_weights(judge.segmenter, path)
        cache.write_atomic(f"{judge.fingerprint}/{WEIGHTS}", path.read_bytes())
    card = {"settings": asdict(settings), "catalog": judge.catalog.name, "resolution": str(judge.resolution)}
    # The card last: a judge without one is not there.
    cache.write_atomic(f"{judge.fingerprint}/{CARD}", json.dumps(card, indent=1).encode())


def _open(cache: Store, fingerprint: str, catalog: Catalog, resolution: Resolution, settings: JudgeSettings) -> Judge:
    segmenter = Segmenter(catalog.num_channels, settings.width)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        path.write_bytes(cache.read(f"{fingerprint}/{WEIGHTS}"))
        try:
            load_weights(segmenter, path)
        except ValueError as error:
            raise InputError(f"{cache.place(fingerprint)}: {error}; remove that folder to train it again") from None
    return Judge(segmenter.eval(), catalog, resolution, fingerprint)
