"""Watching a training: grids of label, real and fake as PNG, and the same with every loss for TensorBoard."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from label_editing.catalog import Catalog
from pipeline.model_directory import SAMPLES, TRAINING
from pipeline.sources.base import Image
from pipeline.storage import Store
from pipeline.training.data import TrainingPair

_GAP_PX = 2


class Watch:
    """Writes what there is to see of a training into its model directory."""

    def __init__(self, store: Store, catalog: Catalog, first_step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._store = store
        self._colors = catalog.palette[catalog.id_of]
        # Event files grow by appending, which object storage cannot: they are made here and copied whole.
        self._folder = tempfile.TemporaryDirectory(prefix="synthgen-events-")
        # What an earlier, killed run wrote of later steps is struck out.
        self._events = SummaryWriter(self._folder.name, purge_step=first_step)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """One point of every curve."""
        for name, value in values.items():
            self._events.add_scalar(name, value, step)

    def grid(self, step: int, pairs: Sequence[TrainingPair], fakes: Sequence[Image]) -> Image:
        """Keep a picture of the watched pairs as they are rendered now."""
        picture = sample_grid(pairs, fakes, self._colors)
        encoded, png = cv2.imencode(".png", picture[:, :, ::-1])
        assert encoded
        self._store.write_atomic(f"{SAMPLES}/step-{step:09d}.png", png.tobytes())
        self._events.add_image("label | real | fake", picture, step, dataformats="HWC")
        return picture

    def flush(self) -> None:
        """Copy the event files to where they belong."""
        self._events.flush()
        for path in sorted(Path(self._folder.name).iterdir()):
            self._store.write_atomic(f"{TRAINING}/tensorboard/{path.name}", path.read_bytes())

    def close(self) -> None:
        """Copy what is left."""
        try:
            self.flush()
        finally:
            self._events.close()
            self._folder.cleanup()


def sample_grid(pairs: Sequence[TrainingPair], fakes: Sequence[Image], colors: Image) -> Image:
    """A row per pair: label map, photograph, rendering."""
    rows = [_beside([colors[pair.labels], pair.image, fake]) for pair, fake in zip(pairs, fakes, strict=True)]
    return _stacked(rows)


def _beside(pictures: Sequence[Image]) -> Image:
    gap = np.full((pictures[0].shape[0], _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def _stacked(rows: Sequence[Image]) -> Image:
    gap = np.full((_GAP_PX, rows[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([part for row in rows for part in (row, gap)][:-1], axis=0)
