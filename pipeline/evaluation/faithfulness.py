"""Are the images of a model faithful to their label maps? As in the papers: segment them, compare with the input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from generators.inference import Renderer
from generators.metrics import class_iou, confusion_matrix, mean_iou, pixel_accuracy
from label_editing.catalog import Catalog
from label_editing.scene import Scene
from pipeline.augment.rendering import to_channels
from pipeline.console import Console
from pipeline.errors import SourceError
from pipeline.evaluation.judge import Judge
from pipeline.model_directory import OpenModel
from pipeline.plan import sample_rng
from pipeline.sources.base import Image, Source
from pipeline.styles.draw import draw_style
from pipeline.styles.picks import StylePick


@dataclass(frozen=True)
class Scores:
    """How well a segmentation network finds label maps again in images."""

    mean_iou: float
    pixel_accuracy: float
    class_iou: dict[str, float]  # of the classes that occur

    def as_data(self) -> dict[str, Any]:
        return {"mean_iou": self.mean_iou, "pixel_accuracy": self.pixel_accuracy, "class_iou": self.class_iou}


@dataclass(frozen=True)
class Faithfulness:
    """Scores on rendered images beside those of the same network on the real images of the same scenes."""

    rendered: Scores
    real: Scores
    num_scenes: int

    @property
    def share(self) -> float:
        """Mean IoU on rendered images as a share of that on real ones, the bound of what can be had."""
        return self.rendered.mean_iou / self.real.mean_iou


def measure_faithfulness(
    model: OpenModel, source: Source, judge: Judge, picks: Sequence[StylePick], limit: int, seed: int, console: Console
) -> Faithfulness:
    """Render the source's own label maps in styles drawn from the bank, and score them against the real images."""
    keys = list(source.keys())[:limit]
    renderer, bank = Renderer(model.load_generator()), model.style_bank()
    rendered, real = _Tally(judge), _Tally(judge)
    with console.progress("rendering and judging", len(keys), "scenes") as progress:
        for key in keys:
            scene, image = source.read(key, judge.resolution)
            if image is None:
                raise SourceError(f"{key} has no image to compare with")
            style, _ = draw_style(bank, picks, scene, sample_rng(seed, key, 0))
            labels = to_channels(scene.labels, model.catalog)
            instances = None if scene.instances is None else scene.instances[None]
            rendered.add(renderer.render(labels[None], instances, [style])[0], scene)
            real.add(image, scene)
            progress.advance()
    return Faithfulness(rendered.scores(), real.scores(), len(keys))


class _Tally:
    """A confusion matrix that grows image by image."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._confusion = torch.zeros(judge.catalog.num_channels, judge.catalog.num_channels, dtype=torch.int64)

    def add(self, image: Image, scene: Scene) -> None:
        catalog = self._judge.catalog
        void = tuple(int(catalog.channel_of[c.id]) for c in catalog.classes if c.void)
        found = torch.from_numpy(self._judge.predict(image[None])[0].astype(np.int64))
        true = torch.from_numpy(catalog.channel_of[scene.labels].astype(np.int64))
        self._confusion += confusion_matrix(found, true, catalog.num_channels, void)

    def scores(self) -> Scores:
        return Scores(
            mean_iou(self._confusion),
            pixel_accuracy(self._confusion),
            _named(class_iou(self._confusion), self._confusion.sum(1) > 0, self._judge.catalog),
        )


def _named(iou: torch.Tensor, occurs: torch.Tensor, catalog: Catalog) -> dict[str, float]:
    return {c.name: float(iou[rank]) for rank, c in enumerate(catalog.classes) if occurs[rank]}
