"""What every region of a training image looks like to the encoder."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from generators.conditioning import instance_mean
from generators.style import StyleKind
from label_editing.scene import Scene, class_of_instance
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.styles.bank import WHOLE_IMAGE, Vector


class ImageLooks(NamedTuple):
    """The regions of one image: their classes, vectors and sizes."""

    key: str
    attributes: Mapping[str, str]
    class_id: npt.NDArray[np.int32]
    vectors: Vector
    area: npt.NDArray[np.float64]  # share of the image


class LookReader:
    """Encodes the images of a source, one at a time."""

    def __init__(self, encoder: nn.Module, kind: StyleKind, source: Source, resolution: Resolution) -> None:
        self._encoder, self._kind, self._source, self.size = encoder.eval(), kind, source, resolution

    def pair(self, key: str) -> tuple[Scene, Image]:
        """A photograph and its label map."""
        return photographed(self._source, key, self.size)

    @torch.inference_mode()
    def looks(self, scene: Scene, image: Image) -> ImageLooks:
        """The looks of this image."""
        device = next(self._encoder.parameters()).device
        encoded = self._encoder(as_tensor(image).to(device))
        if self._kind is StyleKind.GLOBAL:
            mean = encoded[0].float().cpu().numpy().reshape(1, -1)
            return ImageLooks(scene.key, scene.attributes, np.array([WHOLE_IMAGE], np.int32), mean, np.ones(1))
        regions = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
        ids, first, count = np.unique(regions, return_index=True, return_counts=True)
        pooled = instance_mean(encoded, torch.from_numpy(regions.copy()).to(device)[None])[0]
        # Any pixel of a region holds its mean; the first will do.
        vectors = pooled.flatten(1).T[torch.from_numpy(first).to(device)].float().cpu().numpy()
        classes = class_of_instance(ids).astype(np.int32)
        return ImageLooks(scene.key, scene.attributes, classes, vectors, count / regions.size)


def photographed(source: Source, key: str, resolution: Resolution) -> tuple[Scene, Image]:
    """A scene with its image; SourceError where it has none."""
    scene, image = source.read(key, resolution)
    if image is None:
        raise SourceError(f"{key}: the source has no image for this label map; styles are fitted on images")
    return scene, image


def as_tensor(image: Image) -> Tensor:
    """An image as networks take it: 1 x 3 x H x W in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
